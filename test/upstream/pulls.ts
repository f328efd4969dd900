import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";
import type { TestBlob, TestManifest } from "../support/content.ts";
import { blobOf, expectStatus, imageOf, noise, pushBlob, putManifest } from "../support/content.ts";
import type { Client } from "../support/registry.ts";
import { exchange, type WireResponse } from "../wire/connection.ts";

/** An image with its blobs, the configuration first. */
export interface PushedImage {
  readonly image: TestManifest;
  readonly blobs: readonly TestBlob[];
}

/** Pushes an image with layers of these sizes, in bytes; `seed` makes it differ from others. */
export async function pushLayers(
  client: Client,
  name: string,
  tag: string,
  sizes: readonly number[],
  seed = 1,
): Promise<PushedImage> {
  const config = await blobOf(JSON.stringify({ name, seed }));
  const layers: TestBlob[] = [];
  for (const [index, size] of sizes.entries()) layers.push(await blobOf(noise(size, 1000 * seed + index)));
  const image = await imageOf(config, layers);
  for (const blob of [config, ...layers]) await expectStatus(pushBlob(client, name, blob), 201);
  await expectStatus(putManifest(client, name, tag, image), 201);
  return { image, blobs: [config, ...layers] };
}

/** Pulls as containerd does: HEAD of the tag, the manifest by digest, then all blobs at once. */
export async function pullImage(port: number, name: string, tag: string): Promise<void> {
  const head = await expectWire(exchange(port, "HEAD", `/v2/${name}/manifests/${tag}`), 200);
  const digest = head.header("Docker-Content-Digest") ?? "";
  const manifest = await expectWire(exchange(port, "GET", `/v2/${name}/manifests/${digest}`), 200);
  await expectDigest(manifest.body, digest);
  const { config, layers } = JSON.parse(manifest.body.toString()) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  await Promise.all([config, ...layers].map((blob) => pullBlob(port, name, blob.digest)));
}

/** Pulls a blob whole. @throws Error for other bytes than the digest's. */
export async function pullBlob(port: number, name: string, digest: string): Promise<void> {
  const { body } = await expectWire(exchange(port, "GET", `/v2/${name}/blobs/${digest}`), 200);
  await expectDigest(body, digest);
}

/** The answer, if it has the status; otherwise an error that says what came instead. */
export async function expectWire(answer: Promise<WireResponse>, status: number): Promise<WireResponse> {
  const response = await answer;
  if (response.status !== status) {
    throw new Error(`expected ${status}, got ${response.status}: ${response.body}`);
  }
  return response;
}

async function expectDigest(bytes: Buffer, digest: string): Promise<void> {
  const came = await blobOf(new Uint8Array(bytes));
  if (came.digest !== digest) throw new Error(`${digest} was asked for, ${came.digest} came`);
}

/** A download whose body nobody reads until `finish`. */
export interface OpenDownload {
  readonly status: number;
  /** Reads the body to its end. @throws Error if the connection breaks before. */
  finish(): Promise<Buffer>;
  /** Waits for the first bytes of the body. */
  begin(): Promise<void>;
  abort(): void;
}

/** Asks for a blob on a connection of its own, and waits for the answer's head. */
export async function openDownload(port: number, path: string): Promise<OpenDownload> {
  const outgoing = request({ host: "127.0.0.1", port, path, agent: false }).end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return {
    status: incoming.statusCode ?? 0,
    finish: () => buffer(incoming),
    begin: async () => {
      await once(incoming, "readable");
    },
    abort: () => void incoming.destroy(),
  };
}
