import { createDoubles } from "../doubles/doubles.ts";
import type { Client, Ports, Request, Scenario } from "./execution.ts";
import type { Model } from "./linearizability.ts";

/**
 * A tag in miniature, to prove the harness on: one register, written in the right way and in ways that lose
 * something.
 */
export type Question =
  | { readonly ask: "set"; readonly value: string; readonly ifAbsent?: boolean }
  | { readonly ask: "remove" }
  | { readonly ask: "read" };

/** What a read found, or whether a write was done. */
export type Answer = string | boolean | null;

export interface Protocol {
  set(ports: Ports, value: string, ifAbsent: boolean): Promise<boolean>;
  remove(ports: Ports): Promise<boolean>;
}

const key = "t";
const tombstone = "tombstone";

async function get({
  bucket,
}: Ports): Promise<{ readonly etag: string | undefined; readonly value: string | null }> {
  const object = await bucket.get(key);
  if (object === null) return { etag: undefined, value: null };
  const [state] = (await object.text()).split(" ");
  return { etag: object.etag, value: state === undefined || state === tombstone ? null : state };
}

async function swap({ bucket }: Ports, etag: string | undefined, value: string): Promise<boolean> {
  const onlyIf = etag === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: etag };
  return (await bucket.put(key, `${value} ${crypto.randomUUID()}`, { onlyIf })) !== null;
}

/** Removing is a swap to a tombstone, and nothing more. */
export const right: Protocol = {
  async set(ports, value, ifAbsent) {
    for (;;) {
      const { etag, value: current } = await get(ports);
      if (ifAbsent && current !== null) return false;
      if (await swap(ports, etag, value)) return true;
    }
  },
  async remove(ports) {
    for (;;) {
      const { etag, value } = await get(ports);
      if (value === null) return false;
      if (await swap(ports, etag, tombstone)) return true;
    }
  },
};

/** After the swap the key is deleted; a writer takes a stale tombstone over. */
export const deletesTheKey: Protocol = {
  ...right,
  async remove(ports) {
    const removed = await right.remove(ports);
    if (removed) await ports.bucket.delete(key);
    return removed;
  },
};

/** Reads, then writes without a condition. */
export const doesNotSwap: Protocol = {
  ...right,
  async set(ports, value, ifAbsent) {
    if (ifAbsent && (await get(ports)).value !== null) return false;
    await ports.bucket.put(key, value);
    return true;
  },
};

export function request(protocol: Protocol, question: Question): Request<Question, Answer> {
  const answer = (ports: Ports): Promise<Answer> => {
    if (question.ask === "set") return protocol.set(ports, question.value, question.ifAbsent ?? false);
    if (question.ask === "remove") return protocol.remove(ports);
    return get(ports).then(({ value }) => value);
  };
  return {
    question,
    send: async (ports) => {
      const given = await answer(ports);
      return async () => given;
    },
  };
}

/** Each list is what one client asks, one question after the other; the register starts as `initial`. */
export async function scenario(
  protocol: Protocol,
  initial: string | null,
  clients: readonly (readonly Question[])[],
): Promise<Scenario<Question, Answer>> {
  const start = createDoubles();
  if (initial !== null) await start.r2.actor("setup").put(key, `${initial} first`);
  return {
    start,
    clients: clients.map(
      (questions, index): Client<Question, Answer> => ({
        name: "ABC"[index] ?? `client ${index}`,
        requests: questions.map((question) => request(protocol, question)),
      }),
    ),
    afterwards: [request(protocol, { ask: "read" })],
  };
}

export function model(initial: string | null): Model<string | null, Question, Answer> {
  return {
    initial,
    key: String,
    next(state, question, answer) {
      if (question.ask === "read") return answer === undefined || answer === state ? [state] : [];
      const refused =
        question.ask === "remove" ? state === null : question.ifAbsent === true && state !== null;
      if (answer !== undefined && answer === refused) return [];
      if (refused) return [state];
      return [question.ask === "remove" ? null : question.value];
    },
  };
}
