import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import pMap from "p-map";
import { startProxy } from "../test/clients/harness/proxy.ts";
import { startS3Registry } from "../test/support/s3-registry.ts";
import type { Offer, OfferedPart } from "../test/uploads/parts-client.ts";
import { digestOf, type GeneratedBody, generatedBody } from "./transfer.ts";

// npm run bench:direct [-- --size BYTES]
// Pushes layers straight to the bucket, by URLs that the registry hands out, which is behind a proxy that refuses
// request bodies over 100 MB, as Cloudflare's edge does on its Free and Pro plans.

const { values } = parseArgs({ options: { size: { type: "string", default: "3000000000" } } });
const bodyLimit = 100_000_000;
/** Parts of the image's bytes that its layers have. */
const layerShares = [0.7, 0.2, 0.1];
const partSize = 64 * 1024 * 1024;
const atOnce = 4;

const dir = await mkdtemp(join(tmpdir(), "skerry-bench-"));
const registry = await startS3Registry(dir);
const proxy = await startProxy(`127.0.0.1:${registry.port}`, { maxBody: bodyLimit });
try {
  for (const share of layerShares)
    await push(generatedBody(Math.round(Number(values.size) * share), String(share)));
  const refused = proxy.exchanges.filter(({ status }) => status >= 400).length;
  const sent = proxy.exchanges.reduce((sum, exchange) => sum + exchange.sent, 0);
  console.log(
    `${proxy.exchanges.length} requests to the registry, ${refused} refused, ${sent} bytes of bodies`,
  );
} finally {
  await proxy.close();
  await registry.stop();
  await rm(dir, { recursive: true });
}

async function push(body: GeneratedBody): Promise<void> {
  const digest = digestOf(body);
  const started = performance.now();
  const sizes = Array.from({ length: Math.ceil(body.size / partSize) }, (_, index) =>
    Math.min(partSize, body.size - index * partSize),
  );
  const answer = await fetch(`http://${proxy.host}/v2/bench/_skerry/uploads`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sizes }),
  });
  if (!answer.ok) throw new Error(`the registry answered ${answer.status}: ${await answer.text()}`);
  const offer = (await answer.json()) as Offer;
  await pMap(offer.parts, (part) => send(offer, part, body), { concurrency: atOnce });
  const sent = performance.now();
  const location = new URL(answer.headers.get("Location") ?? "");
  location.searchParams.set("digest", digest);
  // fetch gives up after five minutes without an answer.
  const status = await statusOf("PUT", location.href);
  if (status !== 201) throw new Error(`the closing request was answered ${status}`);
  const done = performance.now();
  console.log(
    `${(body.size / 1e6).toFixed(0)} MB in ${sizes.length} parts: sent in ${seconds(sent - started)}, committed in ${seconds(done - sent)}`,
  );
  const head = await fetch(`http://${proxy.host}/v2/bench/blobs/${digest}`, { method: "HEAD" });
  if (head.headers.get("Content-Length") !== String(body.size)) throw new Error("the blob is not there");
}

function* bytesFrom(body: GeneratedBody, { offset, size }: OfferedPart): Generator<Buffer> {
  let at = 0;
  for (const piece of body.pieces()) {
    const from = Math.max(0, offset - at);
    const to = Math.min(piece.length, offset + size - at);
    if (from < to) yield piece.subarray(from, to);
    at += piece.length;
  }
}

async function send(offer: Offer, part: OfferedPart, body: GeneratedBody): Promise<void> {
  const outgoing = request(part.url, { method: part.method, headers: part.headers });
  const answered = once(outgoing, "response");
  async function* content() {
    yield Buffer.from(offer.preamble);
    yield* bytesFrom(body, part);
  }
  await pipeline(Readable.from(content()), outgoing);
  const [answer] = await answered;
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`a part was answered ${answer.statusCode}`);
}

async function statusOf(method: string, url: string): Promise<number> {
  const outgoing = request(url, { method, headers: { "Content-Length": 0 } });
  outgoing.end();
  const [answer] = await once(outgoing, "response");
  answer.resume();
  return answer.statusCode;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
