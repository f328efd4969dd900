import { begins } from "./leniency.ts";
import type { Model } from "./linearizability.ts";
import { type Answer, conditionHolds, type Question } from "./registry-model.ts";

/** The part of a history that concerns one tag, image or blob, and what that object may answer. */
export interface ObjectModel<State> {
  readonly name: string;
  readonly concerns: (question: Question) => boolean;
  readonly model: Model<State, Question, Answer>;
}

/** A request that died, or was told that something went wrong, may have had its effect or not. */
function isOpen(answer: Answer | undefined): answer is undefined {
  return answer === undefined || answer.status >= 500;
}

/** What a tag names; undefined for nothing. */
interface Named {
  readonly image: string | undefined;
  /**
   * A DELETE of the image is under way, or died half-way. Until it is done some reads still show the tag and
   * others do not: nobody was told that the image is deleted (docs/protocols.md, "Windows").
   */
  readonly dying?: true;
}

/** One tag of one repository: what it names. */
export function tagModel(repository: string, tag: string, initial: string | undefined): ObjectModel<Named> {
  return {
    name: `tag ${repository}:${tag}`,
    concerns: (question) =>
      question.repository === repository &&
      ("tag" in question
        ? question.tag === tag
        : question.ask === "delete image" || question.ask === "list tags"),
    model: {
      initial: { image: initial },
      key: ({ image, dying }) => `${image} ${dying}`,
      next: (state, question, answer) =>
        [state, ...(state.dying ? [{ image: undefined }] : [])].flatMap((seen) =>
          nextOfTag(tag, seen, question, answer).map((after) => (after === seen ? state : after)),
        ),
    },
  };
}

const gone: Named = { image: undefined };

function nextOfTag(
  tag: string,
  state: Named,
  question: Question,
  answer: Answer | undefined,
): readonly Named[] {
  const { image } = state;
  const when = (allowed: boolean, after = state) => (allowed ? [after] : []);
  switch (question.ask) {
    case "put": {
      const holds = conditionHolds(question, image);
      const after = { image: question.image.name };
      if (isOpen(answer)) return holds ? [state, after] : [state];
      if (answer.status === 201) return when(holds, after);
      return when(answer.status === 400 || (answer.status === 412 && !holds));
    }
    case "delete tag":
      if (isOpen(answer)) return [state, gone];
      if (answer.status === 202) return when(image !== undefined, gone);
      return when(answer.status === 404 && image === undefined);
    case "delete image": {
      const isNamed = image === question.image.name;
      const after = isNamed ? gone : state;
      if (isOpen(answer)) return isNamed ? [state, after, { image, dying: true }] : [state];
      if (answer.status === begins) return isNamed ? [state, { image, dying: true }] : [state];
      if (answer.status === 202) return [after];
      return when(answer.status === 404 && !isNamed);
    }
    case "list tags":
      return when(answer?.tags?.includes(tag) === (image !== undefined));
    default:
      return when(
        image === undefined ? answer?.status === 404 : answer?.status === 200 && answer.image === image,
      );
  }
}

/**
 * One image of one repository: whether it is there. If it is the only part of an index that comes and goes, an
 * index that is refused says that it was not there.
 */
export function imageModel(repository: string, image: string, initial: boolean): ObjectModel<boolean> {
  const isIndexOf = (question: Question) =>
    question.ask === "put" && question.image.children?.some(({ name }) => name === image) === true;
  return {
    name: `image ${repository}@${image}`,
    concerns: (question) =>
      question.repository === repository &&
      "image" in question &&
      (question.image.name === image || isIndexOf(question)),
    model: {
      initial,
      key: String,
      next(state, question, answer) {
        if (isIndexOf(question)) return partOf(state, answer);
        if (answer?.status === begins) return [state];
        if (question.ask !== "put") return presence(state, answer, question.ask === "delete image");
        if (isOpen(answer) || answer.lenient === true) return [state, true];
        return answer.status === 201 ? [true] : [state];
      },
    },
  };
}

/**
 * One blob of one repository: whether it is there. An image can be put only while it is; if it is the only blob
 * that comes and goes, a put that is refused for a missing blob says that this one was not there.
 */
export function blobModel(repository: string, blob: string, initial: boolean): ObjectModel<boolean> {
  return {
    name: `blob ${repository} "${blob}"`,
    concerns: (question) =>
      question.repository === repository &&
      (question.ask === "put"
        ? question.image.blobs.includes(blob)
        : "blob" in question && question.blob === blob),
    model: {
      initial,
      key: String,
      next(state, question, answer) {
        switch (question.ask) {
          case "put":
            return partOf(state, answer);
          case "commit":
          case "mount":
            if (isOpen(answer)) return [state, true];
            return answer.status === 201 ? [true] : [state];
          default:
            return presence(state, answer, question.ask === "delete blob");
        }
      },
    },
  };
}

/** What the answer to a put says of something that the manifest refers to. */
function partOf(state: boolean, answer: Answer | undefined): readonly boolean[] {
  if (isOpen(answer) || answer.status === 412) return [state];
  return state === (answer.status === 201) ? [state] : [];
}

/** A read of something that is there or not, or its removal. */
function presence(state: boolean, answer: Answer | undefined, removes: boolean): readonly boolean[] {
  if (isOpen(answer)) return removes ? [state, false] : [state];
  if (answer.status === 404) return state ? [] : [state];
  if (answer.lenient === true) return [false];
  return state ? [!removes] : [];
}

/** The objects named, with what they are at the start. */
export function objectModels(watched: {
  readonly tags: readonly (readonly [repository: string, tag: string, image: string | undefined])[];
  readonly images: readonly (readonly [repository: string, image: string, there: boolean])[];
  readonly blobs: readonly (readonly [repository: string, blob: string, there: boolean])[];
}): readonly ObjectModel<unknown>[] {
  return [
    ...watched.tags.map((tag) => tagModel(...tag)),
    ...watched.images.map((image) => imageModel(...image)),
    ...watched.blobs.map((blob) => blobModel(...blob)),
  ] as readonly ObjectModel<unknown>[];
}
