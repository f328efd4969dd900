import { expect, it } from "vitest";
import { shortened } from "../budgets/table.ts";
import { counted } from "../doubles/rounds.ts";
import { blobOf, expectStatus, imageOf, noise, pushBlob, putManifest } from "../support/content.ts";
import type { World } from "../upstream/unit/world.ts";
import { begin, createImportWorld, drive, rangeSize } from "./world.ts";

const layers = 5;
/** Ranges of the large blob. */
const ranges = 4;

interface Case {
  readonly title: string;
  /** Class A, class B, KV. */
  readonly operations: readonly [number, number, number];
  readonly asked: number;
  /** Bytes of the last layer. */
  readonly last: number;
  /** What came before it. */
  prepare(world: World): Promise<unknown>;
}

async function push({ origin }: World, last: number): Promise<void> {
  const config = await blobOf("{}");
  const sizes = [...Array.from({ length: layers - 1 }, (_, index) => 1000 + index), last];
  const blobs = await Promise.all(sizes.map((size) => blobOf(noise(size, size))));
  for (const blob of [config, ...blobs]) await expectStatus(pushBlob(origin, "team/app", blob), 201);
  await expectStatus(putManifest(origin, "team/app", "1", await imageOf(config, blobs)), 201);
}

async function importAll(world: World): Promise<void> {
  const id = await begin(world);
  expect(await drive(world.client, id)).toMatchObject({ state: "done" });
}

const nothing = async () => undefined;
const large = ranges * rangeSize;

it.each<Case>([
  { title: "five small layers", operations: [32, 56, 1], asked: 7, last: 2000, prepare: nothing },
  {
    title: "five layers, one of them of four ranges,",
    operations: [38, 61, 1],
    asked: 10,
    last: large,
    prepare: nothing,
  },
  { title: "what is there", operations: [6, 28, 0], asked: 1, last: large, prepare: importAll },
])("an import of $title costs what it may", async ({ operations: wanted, asked, last, prepare }) => {
  const world = createImportWorld();
  await push(world, last);
  await prepare(world);
  world.sent.length = 0;
  const { A, B, kv, operations } = await counted(world.edge.gate, () => importAll(world));
  expect([[A, B, kv], world.sent.length], operations.map(shortened).join("\n")).toEqual([wanted, asked]);
});
