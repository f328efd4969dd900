import type { ImportMessage } from "../../src/imports/drive.ts";
import type { Importer } from "../../src/imports/importer.ts";
import type { Job } from "../../src/imports/job.ts";
import { readJob } from "../../src/imports/job.ts";
import { createImporter } from "../../src/imports/settings.ts";
import { runImportStep } from "../../src/imports/step.ts";
import { algorithmOf } from "../../src/oci/digest.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  noise,
  pushBlob,
  putManifest,
  type TestBlob,
  type TestManifest,
} from "../support/content.ts";
import type { Client } from "../support/registry.ts";
import { createWorld, type World, type WorldOptions } from "../upstream/unit/world.ts";

/** Bytes of a range in these tests. */
export const rangeSize = 100_000;

export const target = "team/copy";
const imports = `/v2/${target}/_skerry/imports`;

/** An import as the registry tells of it. */
export interface Told {
  readonly id: string;
  readonly state: Job["state"];
  readonly from: string;
  readonly tags: readonly string[];
  readonly digest: string | null;
  readonly manifests: { readonly known: number; readonly stored: number };
  readonly blobs: { readonly known: number; readonly done: number };
  readonly bytes: { readonly known: number; readonly done: number };
  readonly error?: { readonly code: string; readonly message: string };
}

export interface ImportWorld extends World {
  /** What the queue of imports was sent: nothing happens by itself. */
  readonly queued: { readonly message: ImportMessage; readonly delaySeconds: number }[];
}

export function createImportWorld(options: WorldOptions = {}): ImportWorld {
  const queued: ImportWorld["queued"] = [];
  const importQueue = {
    async send(message: ImportMessage, { delaySeconds = 0 }: QueueSendOptions = {}) {
      queued.push({ message, delaySeconds });
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    },
  };
  return { ...createWorld({ ...options, platform: { importQueue, ...options.platform } }), queued };
}

/** Asks for an import, and lets nothing of it happen yet. */
export async function begin(
  world: World,
  from = "up/team/app:1",
  tags?: readonly string[],
  more: object = {},
): Promise<string> {
  const answer = await ask(world.client, from, tags, more);
  await expectStatus(Promise.resolve(answer.clone()), 202);
  return (await answer.json<Told>()).id;
}

/** The answer to the request for an import, whose first step does not come. */
export function ask(
  client: Client,
  from: string,
  tags?: readonly string[],
  more: object = {},
): Promise<Response> {
  return client.fetch(`POST ${imports}`, json({ from, ...(tags && { tags }), ...more }));
}

/** What goes along with a request that has a body of JSON. */
export function json(body: unknown) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export async function told(client: Client, id: string): Promise<Told> {
  return (await expectStatus(client.ask(`GET ${imports}/${id}`), 200)).json<Told>();
}

/** What imports of a client work with, in the small. */
export function importerOf(client: Client, more: Partial<Importer> = {}): Importer {
  const importer = createImporter(client.registry, () => undefined);
  return { ...importer, rangeSize, ...more };
}

/** One step by a client; undefined once there is no such import. */
export async function step(
  client: Client,
  id: string,
  more: Partial<Importer> = {},
): Promise<Job | undefined> {
  const importer = importerOf(client, more);
  const stored = await readJob(importer.store, id);
  return stored && runImportStep(importer, stored);
}

/** Goes on until the import is over, waiting as long as it says. @param most steps. */
export async function drive(
  client: Client,
  id: string,
  more: Partial<Importer> = {},
  most = 60,
): Promise<Job> {
  const { clock } = client.registry.store;
  for (let count = 0; count < most; count++) {
    const job = await step(client, id, more);
    if (job === undefined || job.state !== "open") {
      if (job === undefined) throw new Error("the import is gone");
      return job;
    }
    const wait = Math.max(job.notBefore, job.busyUntil) - clock.now();
    if (wait > 0) await clock.sleep(wait);
  }
  throw new Error(`not over after ${most} steps`);
}

/** An image of a small layer and a large one, pushed to the upstream. */
export async function pushUpstream(
  { origin }: World,
  options: {
    readonly large?: number;
    readonly tag?: string;
    readonly seed?: number;
    readonly name?: string;
  } = {},
): Promise<{ readonly image: TestManifest; readonly blobs: readonly TestBlob[] }> {
  const { large = 3.5 * rangeSize, tag = "1", seed = 1, name = "team/app" } = options;
  const config = await blobOf(`{"seed":${seed}}`);
  const layers = [await blobOf(noise(20_000, seed)), await blobOf(noise(large, seed + 1))];
  const blobs = [config, ...layers];
  for (const blob of blobs) await expectStatus(pushBlob(origin, name, blob), 201);
  const image = await imageOf(config, layers);
  await expectStatus(putManifest(origin, name, tag, image), 201);
  return { image, blobs };
}

/** An image of so many small layers, pushed to the upstream. */
export async function pushWide({ origin }: World, layers: number): Promise<TestManifest> {
  const config = await blobOf("{}");
  const blobs = await Promise.all(Array.from({ length: layers }, (_, at) => blobOf(noise(100, at + 1))));
  for (const blob of [config, ...blobs]) await expectStatus(pushBlob(origin, "team/app", blob), 201);
  const image = await imageOf(config, blobs);
  await expectStatus(putManifest(origin, "team/app", "1", image), 201);
  return image;
}

/** Pulls an image as a client does. @throws unless all of it is there and right. */
export async function pullWhole(
  client: Client,
  name: string,
  reference: string,
  { image, blobs }: { readonly image: TestManifest; readonly blobs: readonly TestBlob[] },
): Promise<void> {
  const read = async (path: string, { digest }: TestBlob): Promise<void> => {
    const answer = await expectStatus(client.ask(`GET /v2/${name}/${path}`), 200);
    const got = await blobOf(new Uint8Array(await answer.arrayBuffer()), algorithmOf(digest));
    if (got.digest !== digest) throw new Error(`${digest} came back as ${got.digest}`);
  };
  await read(`manifests/${reference}`, image);
  await Promise.all(blobs.map((blob) => read(`blobs/${blob.digest}`, blob)));
}
