import { createDoubles, type Doubles } from "../doubles/doubles.ts";
import type { Client, Crash, Entry, Outcome, Ports, Scenario } from "./execution.ts";
import { ask, blobDigest, imageDigest } from "./http.ts";
import { neverBroken, settled } from "./invariants.ts";
import { leniently } from "./leniency.ts";
import { unexplained } from "./linearizability.ts";
import { type ObjectModel, objectModels } from "./object-models.ts";
import { type Answer, type Contents, type Image, type Question, within } from "./registry-model.ts";
import type { Checks } from "./verify.ts";
import { sequentially, wholeModel } from "./whole-model.ts";

/** Requests that run beside each other in a registry that holds something. */
export interface Case {
  readonly name: string;
  /** Asked one after the other before the clients begin; the last ones may fail. */
  readonly setup: readonly Question[];
  /** What each client asks, one question after the other. */
  readonly clients: readonly (readonly Question[])[];
  /** Whether KV has lost every record when the clients begin. */
  readonly recordsLost?: true;
}

/** A case made ready to be run: what it starts from, and what must come out. */
export interface ReadyCase {
  readonly scenario: Scenario<Question, Answer>;
  /** What must come out; with a crash, what must come out if a request dies so. */
  readonly checks: (crash?: Crash) => Checks<Question, Answer>;
}

const nothing: Contents = { tags: {}, images: [], blobs: [] };

/**
 * Runs the setup of a case, against the model too.
 * @param wrap stands between the clients and the doubles.
 * @param wrapSetup stands between the setup and the doubles.
 * @throws if the real registry answers the setup otherwise than the model.
 */
export async function prepare(
  given: Case,
  wrap: (ports: Ports) => Ports = (ports) => ports,
  wrapSetup: (ports: Ports) => Ports = (ports) => ports,
): Promise<ReadyCase> {
  const start = createDoubles();
  const { r2, kv, clock } = start;
  const ports = wrapSetup({ bucket: r2.actor("setup"), kv: kv.actor("setup"), clock });
  let contents = nothing;
  for (const question of given.setup) {
    const answer = await (await ask(question).send(ports))();
    const { expected, after } = sequentially(contents, question);
    if (answer.status !== expected.status) {
      throw new Error(`setup: ${JSON.stringify(question)} was answered ${answer.status}`);
    }
    contents = after;
  }
  const clients = given.clients.map(
    (questions, index): Client<Question, Answer> => ({
      name: "ABCD"[index] ?? String(index),
      requests: questions.map(ask),
    }),
  );
  const watched = watchedIn(given, contents);
  return {
    scenario: {
      start: given.recordsLost ? withoutRecords(start) : start,
      clients,
      wrap,
      afterwards: watched.afterwards.map(ask),
    },
    checks: (crash) => checksFor(given, contents, watched.models, crash),
  };
}

function checksFor(
  given: Case,
  contents: Contents,
  models: readonly ObjectModel<unknown>[],
  crash: Crash | undefined,
): Checks<Question, Answer> {
  const hasReaders = given.clients.flat().some(isRead);
  return {
    history: (given) => {
      const history = leniently(given);
      return [
        ...models.flatMap(({ name, concerns, model }) =>
          unexplained(
            name,
            model,
            history.filter(({ question }) => concerns(question)),
          ),
        ),
        ...(hasReaders || history.some(isOpen)
          ? []
          : unexplained("the registry as a whole", wholeModel(contents), history)),
        ...history.flatMap(({ answer }) =>
          answer?.status === 500 ? ["an internal error was answered"] : [],
        ),
      ];
    },
    outcome: (outcome) => [
      ...neverBroken(outcome.doubles),
      ...unsettled(outcome, crash, given.recordsLost !== true),
    ],
  };
}

/**
 * What is not as it should be when all is quiet. If a request died, only its successful repetition puts all in
 * order, and only if nothing of the dead one landed after that.
 */
function unsettled(
  { doubles, history, inFlightAtCrash }: Outcome<Question, Answer>,
  crash: Crash | undefined,
  hasRecords: boolean,
): readonly string[] {
  if (crash === undefined || inFlightAtCrash === undefined) {
    return history.some(isOpen) ? [] : settled(doubles, hasRecords);
  }
  const repeated = history.findLast(({ client }) => client === crash.client);
  const status = repeated?.answer?.status ?? 500;
  const isPutInOrder =
    crash.retry && crash.lost.length === inFlightAtCrash && (status < 400 || status === 404);
  return isPutInOrder && !isRevived(history, repeated) ? settled(doubles, false) : [];
}

/**
 * Whether a DELETE of an image died and another client put the image back before the DELETE was repeated: to the
 * repetition that is a new life, and what the dead one left of the old one is left to `check --repair`.
 */
function isRevived(
  history: readonly Entry<Question, Answer>[],
  repeated: Entry<Question, Answer> | undefined,
): boolean {
  const question = repeated?.question;
  return (
    question?.ask === "delete image" &&
    history.some((other) => other.question.ask === "put" && other.question.image.name === question.image.name)
  );
}

function isOpen({ answer }: Entry<Question, Answer>): boolean {
  return answer === undefined || answer.status >= 500;
}

function isRead({ ask: what }: Question): boolean {
  return what.startsWith("get") || what.startsWith("head") || what.startsWith("list");
}

function withoutRecords(start: Doubles): Doubles {
  return { ...start, kv: createDoubles().kv };
}

/**
 * The tags and images that the clients name, the tags that name these images at the start, and the blobs that come
 * and go: to be looked at afterwards, each explained on its own.
 */
function watchedIn(given: Case, contents: Contents) {
  const tags = new Map<string, readonly [repository: string, tag: string]>();
  const images = new Map<string, readonly [repository: string, image: Image]>();
  const blobs = new Map<string, readonly [repository: string, blob: string]>();
  for (const question of given.clients.flat()) {
    const { repository } = question;
    if ("tag" in question && question.tag !== undefined) {
      tags.set(within(question, question.tag), [repository, question.tag]);
    }
    if ("image" in question) {
      for (const image of [question.image, ...(question.image.children ?? [])]) {
        images.set(within(question, image.name), [repository, image]);
        imageDigest(image);
      }
    }
    if ("blob" in question) {
      blobs.set(within(question, question.blob), [repository, question.blob]);
      blobDigest(question.blob);
    }
  }
  for (const [key, image] of Object.entries(contents.tags)) {
    const [repository = "", tag = ""] = key.split(" ");
    if (images.has(`${repository} ${image}`)) tags.set(key, [repository, tag]);
  }
  const repositories = new Set([...tags.values()].map(([repository]) => repository));
  const afterwards: readonly Question[] = [
    ...[...tags.values()].flatMap(([repository, tag]): Question[] => [
      { repository, ask: "get tag", tag },
      { repository, ask: "head tag", tag },
    ]),
    ...[...repositories].map((repository): Question => ({ repository, ask: "list tags" })),
    ...[...images.values()].map(([repository, image]): Question => ({ repository, ask: "get image", image })),
    ...[...blobs.values()].map(([repository, blob]): Question => ({ repository, ask: "head blob", blob })),
  ];
  const models = objectModels({
    tags: [...tags].map(([key, [repository, tag]]) => [repository, tag, contents.tags[key]] as const),
    images: [...images].map(
      ([key, [repository, { name }]]) => [repository, name, contents.images.includes(key)] as const,
    ),
    blobs: [...blobs].map(
      ([key, [repository, blob]]) => [repository, blob, contents.blobs.includes(key)] as const,
    ),
  });
  return { afterwards, models };
}
