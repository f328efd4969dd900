import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestAccount, type TestAccount } from "../auth/credentials.ts";
import { noise } from "../support/content.ts";
import { type S3Registry, startS3Registry } from "../support/s3-registry.ts";
import { digestOf } from "../wire/fixtures.ts";
import { bodyOf, type Offer, type OfferedPart } from "./parts-client.ts";

// The S3 endpoint of the local bucket checks signatures, and stores what they were made for.

let folder: string;
let registry: S3Registry;
let account: TestAccount;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-direct-"));
  const grants = { "team/*": "pull,push" };
  account = await makeTestAccount("ci", { grants });
  const ACCOUNTS = JSON.stringify([account.entry]);
  registry = await startS3Registry(folder, { BLOB_REDIRECT: "1000000", ACCOUNTS });
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true });
});

interface Session {
  readonly location: string;
  readonly offer: Offer;
}

async function begin(name: string, sizes: readonly number[]): Promise<Session> {
  const answer = await fetch(`${registry.origin}/v2/${name}/_skerry/uploads`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sizes }),
  });
  expect(answer.status).toBe(200);
  return { location: answer.headers.get("Location") ?? "", offer: (await answer.json()) as Offer };
}

/** PUTs a body with exactly these headers. @returns the status. */
function put(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT", headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function send({ offer }: Session, part: OfferedPart, bytes: Uint8Array): Promise<number> {
  return put(part.url, part.headers, bodyOf(offer, part, bytes));
}

async function close({ location }: Session, digest: string): Promise<number> {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  return (await fetch(url, { method: "PUT" })).status;
}

function partOf({ offer }: Session, index = 0): OfferedPart {
  const part = offer.parts[index];
  if (part === undefined) throw new Error(`no part ${index}`);
  return part;
}

describe("parts straight to the bucket, by its S3 endpoint", () => {
  it("make a blob, all of them sent at once, and a large one comes back by a redirect", async () => {
    const bytes = noise(9_000_000, 3);
    const session = await begin("app", [4_000_000, 3_000_000, 2_000_000]);
    const sent = await Promise.all(session.offer.parts.map((part) => send(session, part, bytes)));
    expect(sent).toEqual([200, 200, 200]);
    expect(await close(session, digestOf(bytes))).toBe(201);
    const url = `${registry.origin}/v2/app/blobs/${digestOf(bytes)}`;
    const redirect = await fetch(url, { redirect: "manual" });
    expect(redirect.status).toBe(307);
    expect(redirect.headers.get("Location")).toContain(
      `${registry.endpoint}/skerry/docker/registry/v2/blobs/`,
    );
    const pulled = await fetch(url);
    expect(pulled.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(digestOf(new Uint8Array(await pulled.arrayBuffer()))).toBe(digestOf(bytes));
    const range = await fetch(url, { headers: { Range: "bytes=100-199" } });
    expect(range.status).toBe(206);
    expect(new Uint8Array(await range.arrayBuffer())).toEqual(bytes.slice(100, 200));
  });

  it("are sent by the commands of docs/big-layers.md", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/big-layers.md"), "utf8");
    const [script = ""] = page.split("```").filter((block) => block.includes("_skerry/uploads -u"));
    const bytes = noise(300_000, 5);
    const cwd = join(folder, "curl");
    await mkdir(cwd);
    await writeFile(join(cwd, "layer.tar.gz"), bytes);
    const commands = script.replace(/^sh\n/, "").replace("https://registry.example.com", registry.origin);
    const env = { ...process.env, SKERRY_ACCOUNT: account.name, SKERRY_KEY: account.key };
    await promisify(execFile)("bash", ["-ec", commands], { cwd, env });
    const pulled = await fetch(`${registry.origin}/v2/team/app/blobs/${digestOf(bytes)}`);
    expect(digestOf(new Uint8Array(await pulled.arrayBuffer()))).toBe(digestOf(bytes));
  });

  it("are refused without the signed headers, in another length, and after tampering", async () => {
    const bytes = noise(1000);
    const session = await begin("app", [1000]);
    const part = partOf(session);
    const body = bodyOf(session.offer, part, bytes);
    const { "If-None-Match": condition = "", ...length } = part.headers;
    expect(await put(part.url, length, body)).toBe(403);
    expect(await put(part.url, { ...part.headers, "Content-Length": "1035" }, body.slice(1))).toBe(403);
    const chunked = { "If-None-Match": condition, "Transfer-Encoding": "chunked" };
    expect(await put(part.url, chunked, body)).toBe(403);
    expect(await put(part.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000"), part.headers, body)).toBe(
      403,
    );
    expect(await put(part.url.replace("/000000000000000?", "/000000000000001?"), part.headers, body)).toBe(
      403,
    );
    expect(await put(part.url, part.headers, body)).toBe(200);
  });

  it("are created once", async () => {
    const bytes = noise(1000);
    const session = await begin("app", [1000]);
    const part = partOf(session);
    const sent = await Promise.all([send(session, part, bytes), send(session, part, bytes)]);
    expect(sent.toSorted()).toEqual([200, 412]);
    expect(await send(session, part, noise(1000, 2))).toBe(412);
    expect(await close(session, digestOf(bytes))).toBe(201);
  });

  it("give nobody the bytes of an object that a header tells R2 to copy", async () => {
    const secret = noise(2000, 7);
    const owner = await begin("secret", [2000]);
    expect(await send(owner, partOf(owner), secret)).toBe(200);
    expect(await close(owner, digestOf(secret))).toBe(201);

    const session = await begin("app", [1964]);
    const part = partOf(session);
    const hex = digestOf(secret).slice("sha256:".length);
    const source = `skerry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
    // The local endpoint copies, unlike AWS's, which wants every such header signed.
    const status = await put(
      part.url,
      { ...part.headers, "x-amz-copy-source": source },
      new Uint8Array(2000),
    );
    expect(status).toBe(200);
    expect(await close(session, digestOf(secret))).toBe(400);
    expect((await fetch(`${registry.origin}/v2/app/blobs/${digestOf(secret)}`)).status).toBe(404);
  });
});
