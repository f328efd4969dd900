import { begins } from "./leniency.ts";
import type { Model } from "./linearizability.ts";
import { type Answer, type Contents, conditionHolds, type Question, within } from "./registry-model.ts";

/**
 * A registry that does one request at a time. For histories in which every request was answered with a success
 * or a refusal; those in which one died are judged object by object (object-models.ts), since a dead request may
 * have done half of its work.
 */
export function wholeModel(initial: Contents): Model<Contents, Question, Answer> {
  return {
    initial,
    key: ({ tags, images, blobs }) =>
      JSON.stringify([Object.entries(tags).toSorted(), images.toSorted(), blobs.toSorted()]),
    next(state, question, answer) {
      if (answer === undefined) throw new Error("the whole model takes answered requests only");
      if (answer.status === begins) return [state];
      const { expected, after } = sequentially(state, question);
      const strictly = isEqual(answer, expected) ? [after] : [];
      return answer.lenient === true ? [...strictly, ...leniently(state, question, expected)] : strictly;
    },
  };
}

interface Step {
  readonly expected: Answer;
  readonly after: Contents;
}

/** What a registry that does one request at a time answers, and what it then holds. */
export function sequentially(state: Contents, question: Question): Step {
  const stays = (answer: Answer): Step => ({ expected: answer, after: state });
  switch (question.ask) {
    case "put":
      return put(state, question);
    case "get tag":
    case "head tag": {
      const image = state.tags[within(question, question.tag)];
      return stays(image === undefined ? { status: 404 } : { status: 200, image });
    }
    case "get image": {
      const { name } = question.image;
      return stays(
        state.images.includes(within(question, name)) ? { status: 200, image: name } : { status: 404 },
      );
    }
    case "list tags": {
      const prefix = within(question, "");
      const tags = Object.keys(state.tags).filter((tag) => tag.startsWith(prefix));
      return stays({ status: 200, tags: tags.map((tag) => tag.slice(prefix.length)).toSorted() });
    }
    case "delete tag": {
      const { [within(question, question.tag)]: removed, ...tags } = state.tags;
      return removed === undefined
        ? stays({ status: 404 })
        : { expected: { status: 202 }, after: { ...state, tags } };
    }
    case "delete image": {
      const image = within(question, question.image.name);
      if (!state.images.includes(image)) return stays({ status: 404 });
      const left = Object.entries(state.tags).filter(
        ([tag, name]) => !(tag.startsWith(within(question, "")) && name === question.image.name),
      );
      const images = state.images.filter((other) => other !== image);
      return { expected: { status: 202 }, after: { ...state, tags: Object.fromEntries(left), images } };
    }
    case "commit":
      return link(state, within(question, question.blob));
    case "mount":
      return state.blobs.includes(`${question.from} ${question.blob}`)
        ? link(state, within(question, question.blob))
        : stays({ status: 202 });
    case "head blob":
      return stays({ status: state.blobs.includes(within(question, question.blob)) ? 200 : 404 });
    case "delete blob": {
      const blob = within(question, question.blob);
      if (!state.blobs.includes(blob)) return stays({ status: 404 });
      const blobs = state.blobs.filter((other) => other !== blob);
      return { expected: { status: 202 }, after: { ...state, blobs } };
    }
  }
}

function put(state: Contents, question: Question & { readonly ask: "put" }): Step {
  const { image, tag } = question;
  const { blobs, children = [] } = image;
  const isComplete =
    blobs.every((blob) => state.blobs.includes(within(question, blob))) &&
    children.every(({ name }) => state.images.includes(within(question, name)));
  if (!isComplete) return { expected: { status: 400 }, after: state };
  const current = tag === undefined ? undefined : state.tags[within(question, tag)];
  if (!conditionHolds(question, current)) return { expected: { status: 412 }, after: state };
  const tags = tag === undefined ? state.tags : { ...state.tags, [within(question, tag)]: image.name };
  const images = [...new Set([...state.images, within(question, image.name)])];
  return { expected: { status: 201 }, after: { ...state, tags, images } };
}

function link(state: Contents, blob: string): Step {
  return {
    expected: { status: 201 },
    after: { ...state, blobs: [...new Set([...state.blobs, blob])] },
  };
}

/** What a lenient answer may mean besides; see leniency.ts. */
function leniently(state: Contents, question: Question, expected: Answer): readonly Contents[] {
  if (question.ask === "delete image") return expected.status === 404 ? [state] : [];
  if (question.ask !== "put" || expected.status !== 412) return [];
  return [{ ...state, images: [...new Set([...state.images, within(question, question.image.name)])] }];
}

function isEqual(a: Answer, b: Answer): boolean {
  return a.status === b.status && a.image === b.image && JSON.stringify(a.tags) === JSON.stringify(b.tags);
}
