import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AwsClient } from "aws4fetch";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { importCommand } from "../../scripts/commands/interchange.ts";
import { importTree } from "../../scripts/interchange/import.ts";
import { importBlob } from "../../scripts/interchange/import-blob.ts";
import type { Outcome } from "../../scripts/interchange/outcome.ts";
import { S3Bucket, type S3Options } from "../../scripts/interchange/s3-bucket.ts";
import { parseS3Url, s3Source } from "../../scripts/interchange/s3-source.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { digestFrom } from "../../src/oci/digest.ts";
import { parseRepositoryName, type Tag } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import { freePort } from "../clients/harness/free-port.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { blobOf, expectStatus, imageOf, noise } from "../support/content.ts";
import { createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { type S3Registry, startS3Registry } from "../support/s3-registry.ts";
import { pushBlob, pushManifest } from "../wire/fixtures.ts";

const tree = new Layout();
const app = parseRepositoryName("team/app");
let folder: string;
/** A registry whose bucket has an S3 endpoint. */
let old: S3Registry;
let endpoint: string;
let credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-s3-"));
  old = await startS3Registry(folder);
  ({ endpoint } = old);
  const { accessKeyId, secretAccessKey } = old;
  credentials = { accessKeyId, secretAccessKey };
});

afterAll(async () => {
  await old.stop();
  await rm(folder, { recursive: true });
});

/** Pushes an image of two layers, one of which is imported in two parts. */
async function pushToOld(): Promise<{ readonly digest: string; readonly blobs: readonly string[] }> {
  const config = await blobOf("{}");
  const layers = [await blobOf("a layer"), await blobOf(noise(33 * 1024 * 1024))];
  const image = await imageOf(config, layers);
  for (const { bytes } of layers) await pushBlob(old.port, app, bytes);
  await pushManifest(old.port, app, "1", new TextDecoder().decode(image.bytes));
  return { digest: image.digest, blobs: [config, ...layers].map(({ digest }) => digest) };
}

function hexOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

/** Puts an object beside the registry, by S3. */
async function put(key: string, body: string): Promise<void> {
  const path = key.split("/").map(encodeURIComponent).join("/");
  const client = new AwsClient({ ...credentials, service: "s3", region: "auto" });
  const answer = await client.fetch(`${endpoint}/skerry/${path}`, { method: "PUT", body });
  await expectStatus(Promise.resolve(answer), 200);
}

function importFrom(world: TestRegistry, url: string, options: Partial<S3Options> = {}): Promise<Outcome> {
  const location = parseS3Url(url);
  const where = { endpoint, bucket: location.bucket, region: "auto", sessionToken: undefined };
  const source = s3Source(new S3Bucket({ ...where, ...credentials, ...options }), location);
  return importTree(world.client("copy").registry.store, source, () => undefined);
}

/** Runs `npm run skerry` without npm on a bucket of its own. */
async function skerry(...args: readonly string[]): Promise<string> {
  const program = [join(projectRoot, "scripts/skerry.ts"), ...args, "--persist-to", join(folder, "new")];
  const { accessKeyId, secretAccessKey } = credentials;
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: "auto" };
  const { stdout } = await promisify(execFile)(process.execPath, program, {
    env: { ...process.env, ...env, NO_COLOR: "1" },
  });
  return stdout;
}

describe("skerry import of an s3 URL", () => {
  it("brings a registry over byte for byte, and a second time copies nothing", async () => {
    const { digest, blobs } = await pushToOld();
    const from = ["import", "s3://skerry", "--endpoint", endpoint];
    expect(await skerry(...from)).toMatch(/^9 copied \(33\.0 MiB of blobs\), 0 there already, 0 left out$/m);
    expect(await skerry(...from)).toMatch(/^0 copied \(0\.0 MiB of blobs\), 9 there already, 0 left out$/m);
    // Not adopted yet: links that were copied are served as they are.
    const registry = await startLocalRegistry({ persistTo: join(folder, "new") });
    try {
      const pulled = await new RegistryProbe(`127.0.0.1:${registry.port}`).verify(app, "1", digest);
      expect([...pulled]).toEqual([digest, ...blobs]);
    } finally {
      await registry.stop();
    }
  });

  it("tells what is missing", async () => {
    await expect(importCommand.run(["s3://"])).rejects.toThrow("s3://BUCKET or s3://BUCKET/PREFIX expected");
    await expect(importCommand.run([folder, "--endpoint", endpoint])).rejects.toThrow("for s3 URLs");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "");
    await expect(importCommand.run(["s3://skerry"])).rejects.toThrow("AWS_ACCESS_KEY_ID is not set");
    vi.unstubAllEnvs();
  });
});

describe("a tree in an S3 bucket", () => {
  it("is read below its prefix, page after page, uploads and Skerry's records passed over", async () => {
    const digests = Array.from({ length: 5 }, (_, index) => digestFrom("sha256", hexOf(index)));
    const layout = new Layout("some+where/é è");
    for (const digest of digests) await put(layout.layerLink(app, digest), digest);
    const blob = await blobOf("a blob");
    await put(layout.blobData(blob.digest), "a blob");
    await put(`${layout.repositories()}team/app/_uploads/1/data`, "unfinished");
    await put(layout.tag(app, "1" as Tag), "a record of Skerry's");
    await put("some+where/é è2/docker/registry/v2/blobs/stray", "of a neighbour");

    const world = createTestRegistry();
    const outcome = await importFrom(world, "s3://skerry/some+where/é è/", { pageSize: 2 });
    expect(outcome).toEqual({ copied: 6, present: 0, bytes: 6, notes: [] });
    const observer = world.r2.actor("observer");
    expect(await (await observer.get(tree.blobData(blob.digest)))?.text()).toBe("a blob");
    for (const digest of digests) {
      expect(await (await observer.get(tree.layerLink(app, digest)))?.text()).toBe(digest);
    }
  });

  it("leaves out what is damaged, and names it", async () => {
    const layout = new Layout("damaged");
    const { digest } = await blobOf("the right bytes");
    await put(layout.blobData(digest), "the wrong bytes");
    await put(layout.revisionLink(app, digest), digestFrom("sha256", hexOf(1)));
    await put(layout.currentLink(app, "1" as Tag), "");
    await put(`${layout.repositories()}team/app/<&notes>.txt`, "stray");
    const world = createTestRegistry();
    const { copied, notes } = await importFrom(world, "s3://skerry/damaged");
    expect(copied).toBe(0);
    expect(notes).toEqual([
      `other bytes than its digest says: ${digest}`,
      `stray: ${tree.repositories()}team/app/<&notes>.txt`,
      `deleted or damaged: ${tree.revisionLink(app, digest)}`,
      `unreadable: ${tree.currentLink(app, "1" as Tag)}`,
    ]);
    expect(await world.r2.actor("observer").head(tree.blobData(digest))).toBeNull();
  });

  it("that is none is refused", async () => {
    await expect(importFrom(createTestRegistry(), "s3://skerry/nowhere")).rejects.toThrow(
      "s3://skerry/nowhere holds no docker/registry/v2/blobs/: not the root of a storage tree",
    );
  });

  it("is refused with what S3 says, and where nothing answers", async () => {
    const world = createTestRegistry();
    await expect(importFrom(world, "s3://skerry", { secretAccessKey: "wrong" })).rejects.toThrow(
      /: 403 SignatureDoesNotMatch: /,
    );
    await expect(importFrom(world, "s3://another")).rejects.toThrow(/: 404 NoSuchBucket: /);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await expect(importFrom(world, "s3://skerry", { endpoint: nobody })).rejects.toThrow("no answer");
  });
});

describe("a blob whose body has another length than was told", () => {
  it.each([
    ["fewer", 5],
    ["more", 3],
  ])("ends the import: %s bytes", async (what, size) => {
    const world = createTestRegistry();
    const { digest, bytes } = await blobOf("four");
    const body = async function* () {
      yield bytes;
    };
    const { store } = world.client("copy").registry;
    await expect(importBlob(store, body(), digest, size)).rejects.toThrow(`${what} than the ${size} bytes`);
    expect(await world.r2.actor("observer").head(tree.blobData(digest))).toBeNull();
  });
});
