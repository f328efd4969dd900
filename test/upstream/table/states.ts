import type { Fault, FaultProxy } from "../fault-proxy.ts";
import { honest } from "../fault-proxy.ts";
import * as faults from "../faults.ts";
import type { RequestName } from "./requests.ts";

/** What a state may point at besides its own proxy. */
export interface Surroundings {
  /** Where the upstream's blobs lie too: another origin. */
  readonly storage: FaultProxy;
}

/** A row of the table: what is wrong with the upstream, and what is answered then. */
export interface State {
  readonly title: string;
  /** Undefined: it refuses connections. */
  readonly fault: ((surroundings: Surroundings, proxy: FaultProxy) => Fault) | undefined;
  /** Milliseconds that it is given to answer; 5,000 unless the state is about that. */
  readonly timeout?: number;
  /** Requests to the upstream for one of the client's; 3 unless told. */
  readonly most?: number;
  /** What `describeAnswer` says of each answer. */
  readonly answers: Readonly<Record<RequestName, string>>;
}

/** What an upstream answers that is as it should be. */
const good: State["answers"] = {
  held: "200",
  stale: "200",
  tag: "200",
  tagHead: "200",
  digest: "200",
  blob: "200",
  range: "206",
  blobHead: "200",
  tags: "200",
  referrers: "200",
};

/** The same answer to everything that is not held; that to a HEAD has no body, and so no code. */
function all(answer: string, exceptions: Partial<State["answers"]> = {}): State["answers"] {
  const status = answer.slice(0, 3);
  const each = Object.fromEntries(Object.keys(good).map((name) => [name, answer])) as State["answers"];
  return { ...each, held: "200", tagHead: status, blobHead: status, ...exceptions };
}

/** What is here is served instead, with a warning. */
const copies = { stale: "200 old", referrers: "200 old, none" } as const;
const noManifests = {
  stale: "200 old",
  tag: "502 UNKNOWN",
  tagHead: "502",
  digest: "502 UNKNOWN",
} as const;
const cutOff = { blob: "cut off" } as const;
/** Milliseconds. */
const briefly = 400;

export const states: readonly State[] = [
  { title: "answers", fault: () => honest, answers: good },
  { title: "answers slowly, but in time", fault: () => faults.delays(200), answers: good },
  { title: "refuses connections", fault: undefined, answers: all("502 UNKNOWN", copies) },
  {
    title: "never answers",
    fault: () => faults.hangs,
    timeout: briefly,
    answers: all("504 UNKNOWN", copies),
  },
  {
    title: "answers 429, `Retry-After: 2`",
    fault: () => faults.answers(429, { "Retry-After": "2" }),
    answers: all("429 TOOMANYREQUESTS, wait", copies),
  },
  { title: "answers 500", fault: () => faults.answers(500), answers: all("502 UNKNOWN", copies) },
  { title: "answers 401", fault: () => faults.answers(401), answers: all("401 UNAUTHORIZED") },
  { title: "answers 403", fault: () => faults.answers(403), answers: all("403 DENIED") },
  {
    title: "answers 404",
    fault: () => faults.answers(404),
    answers: all("404 MANIFEST_UNKNOWN", {
      blob: "404 BLOB_UNKNOWN",
      range: "404 BLOB_UNKNOWN",
      tags: "404 NAME_UNKNOWN",
      referrers: "200, none",
    }),
  },
  {
    title: "does not know HEAD (405)",
    fault: () => faults.unless("GET", faults.answers(405)),
    answers: good,
  },
  {
    title: "does not implement HEAD (501)",
    fault: () => faults.unless("GET", faults.answers(501)),
    answers: good,
  },
  {
    title: "sends no `Docker-Content-Digest`",
    fault: () => faults.lacks("Docker-Content-Digest"),
    answers: good,
  },
  {
    title: "sends no `Content-Length`",
    fault: () => faults.chunks,
    answers: { ...good, blob: "200, no length", range: "206, no length", blobHead: "200, no length" },
  },
  {
    title: "sends manifests with another byte",
    fault: () => faults.onlyFor("manifests", faults.flips),
    answers: { ...good, ...noManifests, stale: "200" },
  },
  {
    title: "sends another manifest",
    fault: () => faults.onlyFor("manifests", faults.substitutes),
    answers: { ...good, ...noManifests, stale: "200" },
  },
  {
    title: "cuts manifests off",
    fault: () => faults.onlyFor("manifests", faults.cuts),
    answers: { ...good, ...noManifests, stale: "200" },
  },
  {
    title: "sends blobs with another byte",
    fault: () => faults.onlyFor("blobs", faults.flips),
    answers: { ...good, ...cutOff },
  },
  {
    title: "sends blobs that are short",
    fault: () => faults.onlyFor("blobs", faults.shortens),
    answers: { ...good, ...cutOff },
  },
  {
    title: "sends blobs that are long",
    fault: () => faults.onlyFor("blobs", faults.lengthens),
    answers: { ...good, ...cutOff },
  },
  {
    title: "cuts blobs off",
    fault: () => faults.onlyFor("blobs", faults.cuts),
    answers: { ...good, ...cutOff, range: "cut off" },
  },
  {
    title: "redirects blobs to a storage",
    fault: ({ storage }) =>
      faults.onlyFor(
        "blobs",
        faults.redirects(({ path }) => `${storage.url}${path}`),
      ),
    answers: good,
  },
  {
    title: "redirects in a circle",
    fault: (_, { url }) => faults.redirects(({ path }) => `${url}${path}`),
    // Followed five times.
    most: 6,
    answers: all("502 UNKNOWN", copies),
  },
];
