import { consumeBucketEvents } from "../../src/maintenance/events/consume.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { parseRepositoryName, type Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import { MessageDouble, notificationOf } from "../support/bucket-events.ts";
import { prepare } from "./case.ts";
import type { Client, Entry, Ports, Scenario, Request as Step } from "./execution.ts";
import type { ForeignCase, ForeignQuestion } from "./foreign-cases.ts";
import { imageDigest, manifestOf, storeFrom } from "./http.ts";
import type { Answer, Question } from "./registry-model.ts";
import type { Checks } from "./verify.ts";

/** What is asked of the queue's consumer, beside what is asked of the registry and of distribution. */
interface Events {
  readonly ask: "events";
}

export type Asked = Question | Events;

type Given = Entry<Asked, Answer>;

const layout = new Layout();
const hour = 60 * 60 * 1000;
const app = parseRepositoryName("app");

/** The name of the client that pushes to distribution, and whose writes the events are of. */
const distribution = "distribution";

/** Puts distribution, and then the consumer of its events, beside the clients of a case. */
export async function prepareForeign(
  given: ForeignCase,
  wrap?: (ports: Ports) => Ports,
): Promise<{ readonly scenario: Scenario<Asked, Answer>; readonly checks: Checks<Asked, Answer> }> {
  const { scenario, checks } = await prepare(
    { ...given, clients: [...given.clients, [given.foreign]] },
    wrap,
  );
  // What is there has been there for long, and what it names is settled.
  scenario.start.clock.advance(hour);
  const foreign: Client<Asked, Answer> = {
    name: distribution,
    requests: [push(given.foreign), consume(given.foreign)],
  };
  const { history, outcome } = checks();
  return {
    scenario: {
      ...scenario,
      ticking: true,
      clients: [...scenario.clients.slice(0, -1), foreign],
    },
    checks: {
      history: (entries) => [...history(seenBySkerry(entries)), ...lost(entries, given.foreign)],
      // A removal that is looked at again in ten minutes has not come through.
      outcome: (found) =>
        found.history.some(({ answer }) => answer?.status === later)
          ? []
          : (outcome?.({ ...found, history: seenBySkerry(found.history) }) ?? []),
    },
  };
}

/** The "status" of a batch with messages that come again. */
const later = 202;

interface Written {
  readonly action: "PutObject" | "DeleteObject";
  readonly key: string;
}

/** What distribution does, in its order. */
function stepsOf(question: ForeignQuestion): readonly (Written & { readonly body?: string })[] {
  if (question.ask === "delete tag") return untagging(question.tag as Tag);
  const digest = imageDigest(question.image) as Digest;
  const revision = layout.revisionLink(app, digest);
  if (question.ask === "delete image") {
    const tags = question.tags ?? [];
    return [{ action: "DeleteObject", key: revision }, ...tags.flatMap((tag) => untagging(tag as Tag))];
  }
  const tag = question.tag as Tag;
  return [
    { action: "PutObject", key: layout.blobData(digest), body: manifestOf(question.image) },
    { action: "PutObject", key: revision, body: digest },
    { action: "PutObject", key: layout.tagIndexLink(app, tag, digest), body: digest },
    { action: "PutObject", key: layout.currentLink(app, tag), body: digest },
  ];
}

function untagging(tag: Tag): readonly Written[] {
  return [{ action: "DeleteObject", key: layout.currentLink(app, tag) }];
}

function push(question: ForeignQuestion): Step<Asked, Answer> {
  return {
    question,
    async send({ bucket }) {
      for (const step of stepsOf(question)) {
        if (step.action === "DeleteObject") await bucket.delete(step.key);
        else await bucket.put(step.key, step.body ?? "");
      }
      return async () => ({ status: question.ask === "put" ? 201 : 202 });
    },
  };
}

/** The consumer gets the events of distribution's links, one after the other. */
function consume(question: ForeignQuestion): Step<Asked, Answer> {
  return {
    question: { ask: "events" },
    async send(ports) {
      const store = { ...storeFrom(ports), concurrency: 1 };
      const messages = stepsOf(question)
        .filter(({ key }) => key.endsWith("/link"))
        .map(({ action, key }) => new MessageDouble(notificationOf(action, key, new Date(0))));
      const options = { operations: 10_000, isImmutable: () => false };
      const { again } = await consumeBucketEvents(store, messages, options);
      return async () => ({ status: again > 0 ? later : 200 });
    },
  };
}

/**
 * To Skerry's clients, distribution's write happens somewhere between its beginning and the end of its events; if
 * those come again later, perhaps not yet.
 */
function seenBySkerry(entries: readonly Given[]): readonly Entry<Question, Answer>[] {
  const events = entries.find(({ question }) => question.ask === "events");
  const isOver = events?.answer?.status === 200;
  return entries.flatMap((entry): Entry<Question, Answer>[] => {
    const { question } = entry;
    if (question.ask === "events") return [];
    if (entry.client !== distribution) return [{ ...entry, question }];
    const { answer } = entry;
    const end = isOver ? { returned: events?.returned, answer } : { returned: undefined, answer: undefined };
    return [{ ...entry, question, ...end }];
  });
}

/**
 * Whoever wrote last has the tag: neither a write of Skerry's that began after distribution had answered, nor one of
 * distribution's that began after Skerry had, is lost to the other.
 */
function lost(entries: readonly Given[], foreign: ForeignQuestion): readonly string[] {
  const pushed = entries.find(({ client }) => client === distribution);
  const events = entries.find(({ question }) => question.ask === "events");
  if (pushed?.returned === undefined || foreign.ask === "delete image") return [];
  const { tag } = foreign;
  const last = entries.findLast(({ question }) => question.ask === "get tag" && question.tag === tag);
  const found = last?.answer?.image;
  const others = entries.filter(
    ({ client, question, answer }) =>
      client !== distribution &&
      client !== "afterwards" &&
      (question.ask === "delete image" || ("tag" in question && question.tag === tag)) &&
      (answer?.status === 201 || answer?.status === 202),
  );
  const [other] = others;
  if (other === undefined) return [];
  const { question } = other;
  if (other.invoked >= pushed.returned) {
    const isDone =
      question.ask === "put"
        ? found === question.image.name
        : question.ask === "delete image"
          ? found !== question.image.name
          : found === undefined;
    return isDone ? [] : ["a write of Skerry's, the last one of the tag, is lost"];
  }
  const isBefore = other.returned !== undefined && other.returned <= pushed.invoked;
  if (!isBefore || events?.answer?.status !== 200) return [];
  const wanted = foreign.ask === "put" ? foreign.image.name : undefined;
  return found === wanted ? [] : ["a write of distribution's, the last one of the tag, is lost"];
}
