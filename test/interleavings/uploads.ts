import { createDoubles } from "../doubles/doubles.ts";
import type { Client, Ports, Scenario, Request as Step } from "./execution.ts";
import { blobDigest, fetchFrom, withBody } from "./http.ts";
import type { Model } from "./linearizability.ts";

/** What clients ask of one upload session. */
export type Question =
  | { readonly ask: "append"; readonly text: string; readonly placed: boolean }
  | { readonly ask: "commit"; readonly text: string }
  | { readonly ask: "cancel" };

export interface SessionCase {
  readonly name: string;
  readonly clients: readonly (readonly Question[])[];
}

const append = (text: string, placed = true): Question => ({ ask: "append", text, placed });
const commit = (text: string): Question => ({ ask: "commit", text });
const cancel: Question = { ask: "cancel" };

export const sessions: readonly SessionCase[] = [
  { name: "chunk / chunk at one offset", clients: [[append("aaaa")], [append("bbbb")]] },
  { name: "whole blob / whole blob", clients: [[append("aaaa", false)], [append("bbbb", false)]] },
  { name: "chunk / whole blob", clients: [[append("aaaa")], [append("bbbb", false)]] },
  { name: "chunk / cancellation", clients: [[append("aaaa")], [cancel]] },
  { name: "cancellation / cancellation", clients: [[cancel], [cancel]] },
  { name: "chunk, commit / chunk", clients: [[append("aaaa"), commit("aaaa")], [append("bbbb")]] },
  { name: "chunk, commit / commit", clients: [[append("aaaa"), commit("aaaa")], [commit("aaaa")]] },
  { name: "chunk, commit / cancellation", clients: [[append("aaaa"), commit("aaaa")], [cancel]] },
];

/** What an upload session is: bytes so far, or over, with the blob that it became or none. */
export type Session =
  | { readonly open: string }
  | { readonly committed: string }
  | { readonly cancelled: true };

/** A session that has received nothing, and what clients ask of it beside each other. */
export async function sessionScenario(
  clients: SessionCase["clients"],
  afterwards: readonly Question[],
): Promise<Scenario<Question, number>> {
  const start = createDoubles();
  const ports = { bucket: start.r2.actor("setup"), kv: start.kv.actor("setup"), clock: start.clock };
  const opened = await fetchFrom(ports)(
    new Request("https://registry.example/v2/app/blobs/uploads/", { method: "POST" }),
  );
  const location = opened.headers.get("Location") ?? "";
  const step = (question: Question): Step<Question, number> => ({
    question,
    async send(of: Ports) {
      const { status } = await fetchFrom(of)(requestOf(question, location));
      return async () => status;
    },
  });
  return {
    start,
    clients: clients.map(
      (questions, index): Client<Question, number> => ({
        name: "ABC"[index] ?? String(index),
        requests: questions.map(step),
      }),
    ),
    afterwards: afterwards.map(step),
  };
}

/** Every request has the URL of the empty session: clients that know no better, or that repeat themselves. */
function requestOf(question: Question, location: string): Request {
  if (question.ask === "cancel") return new Request(location, { method: "DELETE" });
  if (question.ask === "commit") {
    return new Request(`${location}&digest=${blobDigest(question.text)}`, { method: "PUT" });
  }
  const headers = new Headers({ "Content-Type": "application/octet-stream" });
  if (question.placed) headers.set("Content-Range", `0-${question.text.length - 1}`);
  return withBody("PATCH", location, question.text, headers);
}

/**
 * A session that takes one request at a time. All have the URL of the empty session; once it is over, a commit of
 * something else finds nothing (404) or nothing but that emptiness (400), and a repeated one may succeed again.
 * After a commit the segments go in the background: a late chunk finds them (416) or begins the session anew, to be
 * purged in a week.
 */
export const sessionModel: Model<Session, Question, number> = {
  initial: { open: "" },
  key: (state) => JSON.stringify(state),
  next(state, question, status) {
    return outcomes(state, question)
      .filter(([expected]) => status === undefined || status === expected)
      .map(([, after]) => after);
  },
};

type Outcome = readonly [status: number, after: Session];

function outcomes(state: Session, question: Question): readonly Outcome[] {
  const refused: readonly Outcome[] = [
    [400, state],
    [404, state],
  ];
  switch (question.ask) {
    case "append":
      if ("cancelled" in state) return [[404, state]];
      if ("committed" in state)
        return [
          [202, { open: question.text }],
          [416, state],
          [404, state],
        ];
      return state.open === "" ? [[202, { open: question.text }]] : [[416, state]];
    case "commit":
      if ("cancelled" in state) return refused;
      if ("committed" in state)
        return state.committed === question.text ? [[201, state], ...refused] : refused;
      return state.open === question.text
        ? [[201, { committed: question.text }]]
        : [[400, state.open === "" ? state : { cancelled: true }]];
    case "cancel":
      return "open" in state
        ? [[204, { cancelled: true }]]
        : [
            [404, state],
            [204, { cancelled: true }],
          ];
  }
}
