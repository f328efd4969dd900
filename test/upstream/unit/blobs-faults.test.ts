import { expect, it } from "vitest";
import { everyFault } from "../../doubles/faults.ts";
import { nothingMoves } from "../../doubles/rounds.ts";
import { blobOf, expectStatus, noise, pushBlob, type TestBlob } from "../../support/content.ts";
import { createWorld, keysOf, type World } from "./world.ts";

interface FaultyWorld extends World {
  readonly gate: World["edge"]["gate"];
  readonly blob: TestBlob;
  readonly path: string;
}

const hasLink = ({ digest }: TestBlob, keys: readonly string[]) =>
  keys.some((key) => key.includes(`/_layers/sha256/${digest.slice("sha256:".length)}/`));

/** @param isHeld whether another repository has brought the bytes. */
async function prepare(isHeld: boolean): Promise<FaultyWorld> {
  const world = createWorld();
  const blob = await blobOf(noise(300_000, 7));
  for (const name of ["app", "copy"]) await expectStatus(pushBlob(world.origin, name, blob), 201);
  const faulty = { ...world, gate: world.edge.gate, blob, path: `/v2/up/app/blobs/${blob.digest}` };
  if (isHeld) await pull({ ...faulty, path: faulty.path.replace("app", "copy") });
  return faulty;
}

/** Pulls, and lets all that goes on after it end. */
async function pull({ client, path }: Pick<FaultyWorld, "client" | "path">) {
  const answer = await client.fetch(`GET ${path}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  await nothingMoves();
  return { status: answer.status, bytes };
}

it.each([
  { what: "a first pull", isHeld: false },
  { what: "a first pull of bytes that another repository has brought", isHeld: true },
])("$what brings the blob whatever the bucket fails in, and the next one keeps it", async ({ isHeld }) => {
  const failed = new Set<string>();
  const runs = await everyFault({
    prepare: () => prepare(isHeld),
    flow: pull,
    async check({ world, operation, when, outcome }) {
      const context = `${when} ${operation}`;
      if (outcome.status === "rejected") throw new Error(context, { cause: outcome.reason });
      const { status, bytes } = outcome.value;
      if (status === 200) expect(bytes, context).toEqual(world.blob.bytes);
      else failed.add(`${status} ${/^R2 \w+/.exec(operation)?.[0]} ${operation.split("/").at(-1)}`);
      const next = await pull(world);
      expect([next.status, next.bytes], context).toEqual([200, world.blob.bytes]);
      expect(hasLink(world.blob, await keysOf(world)), context).toBe(true);
    },
  });
  expect(runs).toBeGreaterThan(10);
  // Whether a blob is here must be known, and it is read from the bucket if it is; nothing else depends on that.
  expect([...failed]).toEqual(["500 R2 head link", "500 R2 get data"]);
});
