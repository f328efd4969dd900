import { expect } from "vitest";
import { ociManifest } from "../../../src/oci/media-type.ts";
import type { TestBlob, TestManifest } from "../../support/content.ts";
import { exchange, type HeaderLine, type WireResponse } from "../../wire/connection.ts";

/** An image behind an upstream of its own, which one request is tried on. */
export interface Cell {
  /** Of Skerry. */
  readonly port: number;
  /** The repository, as Skerry's clients name it. */
  readonly name: string;
  readonly image: TestManifest;
  readonly layer: TestBlob;
  /** Its subject is the image. */
  readonly signature: TestManifest;
}

/** A column of the table. */
export interface RequestKind {
  readonly title: string;
  /** Seconds for which a tag is fresh. */
  readonly fresh: number;
  /** Pulls before the upstream fails. */
  readonly before?: (cell: Cell) => Promise<unknown>;
  /** @throws Error for an answer of 200 that is neither what was asked for nor an empty list. */
  readonly send: (cell: Cell) => Promise<WireResponse>;
}

export const tag = "1";
const long = 3600;
const accept: HeaderLine = ["Accept", ociManifest];

function ask(method: string, { port, name }: Cell, path: string, headers: readonly HeaderLine[] = []) {
  return exchange(port, method, `/v2/${name}/${path}`, [accept, ...headers]);
}

async function manifest(method: "GET" | "HEAD", cell: Cell, reference: string): Promise<WireResponse> {
  const answer = await ask(method, cell, `manifests/${reference}`);
  if (answer.status !== 200) return answer;
  expect(answer.header("Docker-Content-Digest")).toBe(cell.image.digest);
  expect(answer.header("Content-Length")).toBe(String(cell.image.bytes.byteLength));
  expect(answer.header("Content-Type")).toBe(cell.image.mediaType);
  if (method === "GET") expect(answer.body.equals(cell.image.bytes)).toBe(true);
  return answer;
}

async function blob(method: "GET" | "HEAD", cell: Cell): Promise<WireResponse> {
  const answer = await ask(method, cell, `blobs/${cell.layer.digest}`);
  if (answer.status !== 200) return answer;
  expect(answer.header("Docker-Content-Digest")).toBe(cell.layer.digest);
  const length = answer.header("Content-Length");
  if (length !== undefined) expect(length).toBe(String(cell.layer.bytes.byteLength));
  if (method === "GET") expect(answer.body.equals(cell.layer.bytes)).toBe(true);
  return answer;
}

async function range(cell: Cell): Promise<WireResponse> {
  const answer = await ask("GET", cell, `blobs/${cell.layer.digest}`, [["Range", "bytes=100-199"]]);
  if (answer.status !== 206) return answer;
  expect(answer.header("Content-Range")).toBe(`bytes 100-199/${cell.layer.bytes.byteLength}`);
  expect(answer.body.equals(cell.layer.bytes.subarray(100, 200))).toBe(true);
  return answer;
}

async function pull(cell: Cell): Promise<void> {
  expect((await manifest("GET", cell, tag)).status).toBe(200);
  expect((await blob("GET", cell)).status).toBe(200);
}

/** Everything that can be asked of an image that is held. @returns the answer to the last request. */
async function held(cell: Cell): Promise<WireResponse> {
  const answers = [
    await manifest("GET", cell, tag),
    await manifest("HEAD", cell, tag),
    await manifest("GET", cell, cell.image.digest),
    await manifest("HEAD", cell, cell.image.digest),
    await range(cell),
    await blob("HEAD", cell),
    await blob("GET", cell),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 206, 200, 200]);
  return answers.at(-1) as WireResponse;
}

/** The columns, by the name that rows call them. */
export const requests = {
  held: { title: "what is held, and fresh", fresh: long, before: pull, send: held },
  stale: {
    title: "tag, held, not fresh",
    fresh: 0,
    before: pull,
    send: (cell) => manifest("GET", cell, tag),
  },
  tag: { title: "tag", fresh: long, send: (cell) => manifest("GET", cell, tag) },
  tagHead: { title: "HEAD of a tag", fresh: long, send: (cell) => manifest("HEAD", cell, tag) },
  digest: { title: "digest", fresh: long, send: (cell) => manifest("GET", cell, cell.image.digest) },
  blob: { title: "blob", fresh: long, send: (cell) => blob("GET", cell) },
  range: { title: "blob, `Range`", fresh: long, send: range },
  blobHead: { title: "HEAD of a blob", fresh: long, send: (cell) => blob("HEAD", cell) },
  tags: {
    title: "`tags/list`",
    fresh: long,
    send: async (cell) => {
      const answer = await ask("GET", cell, "tags/list");
      if (answer.status === 200) {
        const { name, tags } = JSON.parse(answer.body.toString()) as { name: string; tags: string[] };
        expect(name).toBe(cell.name);
        if (tags.length > 0) expect(tags).toEqual([tag]);
      }
      return answer;
    },
  },
  referrers: {
    title: "referrers",
    fresh: long,
    send: async (cell) => {
      const answer = await ask("GET", cell, `referrers/${cell.image.digest}`);
      if (answer.status === 200) {
        const { manifests } = JSON.parse(answer.body.toString()) as { manifests: { digest: string }[] };
        if (manifests.length > 0) {
          expect(manifests.map(({ digest }) => digest)).toEqual([cell.signature.digest]);
        }
      }
      return answer;
    },
  },
} as const satisfies Readonly<Record<string, RequestKind>>;

export type RequestName = keyof typeof requests;
