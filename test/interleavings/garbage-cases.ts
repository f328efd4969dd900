import type { Case } from "./case.ts";
import type { Image, Question } from "./registry-model.ts";

/**
 * Requests beside a pass of the collector itself. Passes ran before, two hours apart, so that the grace of what
 * they saw is over when the clients begin, and the pass beside them deletes it unless a request needs it.
 */
export interface GarbageCase extends Case {
  /** How many. */
  readonly passesBefore: number;
  /** Whether another pass, after those, died between the links that it took and their claims. */
  readonly leavesJournal?: true;
  /** How many collectors are at work beside the clients: 1 unless given. */
  readonly collectors?: number;
  /** Blobs that a pass may take before the clients ask for them. */
  readonly garbage: readonly string[];
  /** Images that a pass may take because no tag names them: then retention takes such images. */
  readonly untagged?: readonly Image[];
}

const A: Image = { name: "A", blobs: ["config", "layer A"] };
const B: Image = { name: "B", blobs: ["config", "layer B"] };
const other: Image = { name: "other", blobs: ["config"] };

/** An index of nothing: a repository may hold it alone. */
const nothing: Image = { name: "N", blobs: [], children: [] };

const put = (image: Image, tag?: string): Question => ({
  repository: "app",
  ask: "put",
  image,
  ...(tag && { tag }),
});
const create = (image: Image, tag: string): Question => ({
  repository: "app",
  ask: "put",
  image,
  tag,
  ifNoneMatch: true,
});
const untag = (tag: string): Question => ({ repository: "app", ask: "delete tag", tag });
const commit = (blob: string): Question => ({ repository: "app", ask: "commit", blob });
const unlink = (blob: string): Question => ({ repository: "app", ask: "delete blob", blob });
const remove = (image: Image): Question => ({ repository: "app", ask: "delete image", image });
const mount: Question = { repository: "copy", ask: "mount", blob: "layer A", from: "app" };

/** Nobody refers to layer A. */
const blobs = [...["config", "layer A"].map(commit), put(other, "other")];
const tagged = [...blobs, commit("layer B"), put(B), put(A, "t")];

const layer = ["layer A"];

/** A marked link, that goes in the pass. */
const marked = { setup: blobs, passesBefore: 1, garbage: layer };
/** A claim whose link went in a pass that died, which the pass finds written down. */
const journaled = { ...marked, leavesJournal: true } as const;
/** Bytes that were seen without a claim, and go in the pass. */
const orphaned = { setup: blobs, passesBefore: 2, garbage: layer };
/** A tombstone of a blob, which goes in the pass with its claim. */
const buried = { setup: [...blobs, unlink("layer A")], passesBefore: 0, garbage: [] };
/** The same of a blob to which A refers. */
const buriedOfA = { setup: [...blobs, put(A), unlink("layer A")], passesBefore: 0, garbage: [] };
/** The tombstone of an image without tags, which goes in the pass. */
const deleted = { setup: [...blobs, put(A), remove(A)], passesBefore: 0, garbage: [] };

/** Tombstones of A and its tag, which go in the pass. */
const deletedTagged = { setup: [...tagged, remove(A)], passesBefore: 0, garbage: [] };
const untagged = [...tagged, untag("t")];

/** A has no tag, and is marked: it goes in the pass. */
const nameless = { setup: [...blobs, put(A)], passesBefore: 1, garbage: [], untagged: [A] };
/** An index over A, and a signature of it. */
const over: Image = { name: "I", blobs: [], children: [A] };
const signature: Image = { name: "S", blobs: ["config"], subject: A };

export const garbage: readonly GarbageCase[] = [
  { name: "PUT t:A after HEAD said 200 / collector", ...marked, clients: [[put(A, "t")]] },
  { name: "PUT t:A / two collectors", ...marked, clients: [[put(A, "t")]], collectors: 2 },
  { name: "commit / collector", ...marked, clients: [[commit("layer A")]] },
  { name: "commit, PUT t:A / collector", ...marked, clients: [[commit("layer A"), put(A, "t")]] },
  { name: "commit / PUT t:A / collector", ...marked, clients: [[commit("layer A")], [put(A, "t")]] },
  { name: "mount / collector at its source", ...marked, clients: [[mount]] },
  {
    name: "DELETE layer, commit / collector",
    ...marked,
    clients: [[unlink("layer A"), commit("layer A")]],
  },
  { name: "commit, PUT t:A / collector of data", ...orphaned, clients: [[commit("layer A"), put(A, "t")]] },
  { name: "commit / collector of its tombstone", ...buried, clients: [[commit("layer A")]] },
  {
    name: "commit / collector of a tombstone A needs",
    ...buriedOfA,
    clients: [[commit("layer A")]],
  },
  {
    name: "commit, PUT t:A / collector of a journal",
    ...journaled,
    clients: [[commit("layer A"), put(A, "t")]],
  },
  {
    name: "commit / two collectors of a journal",
    ...journaled,
    clients: [[commit("layer A")]],
    collectors: 2,
  },
  { name: "PUT t:A / collector of their tombstones", ...deletedTagged, clients: [[put(A, "t")]] },
  { name: "create t:A / collector of their tombstones", ...deletedTagged, clients: [[create(A, "t")]] },
  {
    name: "PUT t:A / DELETE A / collector of tombstones",
    ...deletedTagged,
    clients: [[put(A, "t")], [remove(A)]],
  },
  {
    name: "PUT t:B / collector of a removed tag",
    setup: untagged,
    passesBefore: 0,
    garbage: [],
    clients: [[put(B, "t")]],
  },
  {
    name: "PUT n:N / collector of the repository",
    setup: [put(nothing, "n"), remove(nothing)],
    passesBefore: 0,
    garbage: [],
    clients: [[put(nothing, "n")]],
  },
  { name: "PUT A / collector of its tombstone", ...deleted, clients: [[put(A)]] },
  { name: "PUT A / DELETE A / collector of its tombstone", ...deleted, clients: [[put(A)], [remove(A)]] },
  { name: "PUT t:A / collector of A, which has no tag", ...nameless, clients: [[put(A, "t")]] },
  { name: "create t:A / two collectors of A", ...nameless, clients: [[create(A, "t")]], collectors: 2 },
  { name: "PUT A / collector of A, which has no tag", ...nameless, clients: [[put(A)]] },
  { name: "PUT i:index over A / collector of A", ...nameless, clients: [[put(over, "i")]] },
  {
    name: "PUT i:index over A / PUT t:A / collector of A",
    ...nameless,
    clients: [[put(over, "i")], [put(A, "t")]],
  },
  { name: "PUT signature of A / collector of A", ...nameless, clients: [[put(signature)]] },
  { name: "DELETE A / collector of A, which has no tag", ...nameless, clients: [[remove(A)]] },
  {
    name: "DELETE A, PUT t:A / collector that marks A",
    setup: [...blobs, put(A)],
    passesBefore: 0,
    garbage: [],
    untagged: [],
    clients: [[remove(A), put(A, "t")]],
  },
  {
    name: "PUT A / DELETE A, PUT t:A / collector of A",
    ...nameless,
    clients: [[put(A)], [remove(A), put(A, "t")]],
  },
  {
    name: "PUT t:A, DELETE t / collector of A",
    ...nameless,
    clients: [[put(A, "t"), untag("t")]],
  },
  {
    name: "DELETE A / collector of its tag",
    setup: tagged,
    passesBefore: 1,
    garbage: [],
    clients: [[remove(A)]],
    collectors: 2,
  },
];
