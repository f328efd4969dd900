import { Layout } from "../../src/storage/layout.ts";
import type { Bucket } from "../../src/storage/ports.ts";
import type { Case } from "./case.ts";
import type { Ports, Request as Step } from "./execution.ts";
import { blobDigest } from "./http.ts";
import type { Answer, Image, Question } from "./registry-model.ts";

/**
 * Garbage collection in miniature, one candidate a sweep, by the steps of docs/protocols.md "GC": it is here to
 * prove the writers' part of the protocol, which must hold against it.
 */
export interface Sweep {
  readonly of: "layer link" | "data";
  readonly repository: string;
  readonly blob: string;
  /** A step that the collector leaves out. */
  readonly without?: "announcement" | "verification";
}

/** Requests beside sweeps; the candidates are two hours old when the clients begin. */
export interface SweepCase extends Case {
  readonly sweeps: readonly Sweep[];
}

const layout = new Layout();
const app = "app" as never;
const A: Image = { name: "A", blobs: ["config", "layer A"] };
const other: Image = { name: "other", blobs: ["config"] };
const commit = (blob: string): Question => ({ repository: "app", ask: "commit", blob });
const put: Question = { repository: "app", ask: "put", image: A, tag: "t" };
const mount: Question = { repository: "copy", ask: "mount", blob: "layer A", from: "app" };
const unlink: Question = { repository: "app", ask: "delete blob", blob: "layer A" };

const link: Sweep = { of: "layer link", repository: "app", blob: "layer A" };
const data: Sweep = { of: "data", repository: "app", blob: "layer A" };
const blobs: readonly Question[] = [
  ...["config", "layer A"].map(commit),
  { repository: "app", ask: "put", image: other, tag: "other" },
];

export const sweeps: readonly SweepCase[] = [
  { name: "commit / sweep of its link", setup: blobs, clients: [[commit("layer A")]], sweeps: [link] },
  {
    name: "commit / sweep of link, data",
    setup: blobs,
    clients: [[commit("layer A")]],
    sweeps: [link, data],
  },
  { name: "PUT t:A / sweep of its layer's link", setup: blobs, clients: [[put]], sweeps: [link] },
  { name: "mount / sweep of its source", setup: blobs, clients: [[mount]], sweeps: [link] },
  { name: "mount / sweep of source, data", setup: blobs, clients: [[mount]], sweeps: [link, data] },
  {
    name: "DELETE layer, commit / sweep of link, data",
    setup: blobs,
    clients: [[unlink, commit("layer A")]],
    sweeps: [link, data],
  },
];

/** One client that does one sweep after the other. To the models each is a DELETE that may have no effect. */
export function collect(all: readonly Sweep[]): readonly Step<Question, Answer>[] {
  return all.map((sweep) => ({
    question: { repository: sweep.repository, ask: "delete blob", blob: sweep.blob },
    async send(ports) {
      await run(ports, sweep);
      return async () => ({ status: 503 });
    },
  }));
}

const grace = 60 * 60 * 1000;

async function run({ bucket, clock }: Ports, sweep: Sweep): Promise<void> {
  const found = await bucket.head(layout.guard());
  if (found?.customMetadata?.state === "sweeping") return;
  let version = found?.etag;
  if (sweep.without !== "announcement") {
    version = await announce(bucket, version, "sweeping", clock.now());
    if (version === undefined) return;
  }
  const ranks = await (sweep.of === "data" ? dataToDelete : linkToDelete)(bucket, clock.now() - grace, sweep);
  for (const key of ranks) await bucket.delete(key);
  if (sweep.without !== "announcement") await announce(bucket, version, "idle", clock.now());
}

async function announce(
  bucket: Bucket,
  version: string | undefined,
  state: "sweeping" | "idle",
  at: number,
): Promise<string | undefined> {
  const onlyIf = version === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: version };
  const body = JSON.stringify({ state, nonce: crypto.randomUUID() });
  const put = await bucket.put(layout.guard(), body, {
    onlyIf,
    customMetadata: { state, at: String(at) },
  });
  return put?.etag;
}

/** The layer link and then its owner, if no live manifest needs the blob and both are older than the grace. */
async function linkToDelete(bucket: Bucket, oldest: number, sweep: Sweep): Promise<readonly string[]> {
  const digest = blobDigest(sweep.blob) as never;
  const keys = [layout.layerLink(app, digest), layout.owner(digest, app)];
  if (sweep.without === "verification") return keys;
  const prefix = layout.revisionLink(app, digest).replace(/sha256\/.*$/, "");
  const revisions = await bucket.list({ prefix, include: ["customMetadata"] });
  for (const { key, customMetadata } of revisions.objects) {
    const parsed = layout.parse(key);
    if (customMetadata?.tombstone !== undefined || parsed?.kind !== "revisionLink") continue;
    const manifest = await bucket.get(layout.blobData(parsed.digest));
    if ((await manifest?.text())?.includes(digest) === true) return [];
  }
  const heads = await Promise.all(keys.map((key) => bucket.head(key)));
  return heads.every((head) => head === null || head.uploaded.getTime() < oldest) ? keys : [];
}

/** The bytes, if nobody owns them; that nobody did in an earlier run either is taken for granted. */
async function dataToDelete(bucket: Bucket, _oldest: number, sweep: Sweep): Promise<readonly string[]> {
  const digest = blobDigest(sweep.blob) as never;
  if (sweep.without === "verification") return [layout.blobData(digest)];
  const owners = await bucket.list({ prefix: layout.owners(digest) });
  return owners.objects.length === 0 ? [layout.blobData(digest)] : [];
}
