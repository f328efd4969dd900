import { expect, it } from "vitest";
import { shortened } from "../../budgets/table.ts";
import { counted } from "../../doubles/rounds.ts";
import { blobOf, imageOf, noise, pushBlob, putManifest, type TestManifest } from "../../support/content.ts";
import { createWorld, keysOf, type World } from "./world.ts";

const layers = 5;

interface Pull {
  readonly title: string;
  /** Class A, class B, KV. */
  readonly operations: readonly [number, number, number];
  readonly asked: number;
  /** What came before it. */
  prepare(world: World, image: TestManifest): Promise<unknown>;
}

const pulls: readonly Pull[] = [
  { title: "the first pull", operations: [25, 48, 1], asked: 7, prepare: async () => undefined },
  { title: "the next one", operations: [0, 15, 0], asked: 0, prepare: pullImage },
  {
    title: "one after `fresh`",
    operations: [0, 17, 0],
    asked: 1,
    async prepare(world, image) {
      await pullImage(world, image);
      world.edge.clock.advance(301_000);
    },
  },
];

async function push({ origin }: World): Promise<TestManifest> {
  const config = await blobOf("{}");
  const blobs = await Promise.all(
    Array.from({ length: layers }, (_, index) => blobOf(noise(1000, index + 1))),
  );
  const image = await imageOf(config, blobs);
  for (const blob of [config, ...blobs]) await pushBlob(origin, "team/app", blob);
  await putManifest(origin, "team/app", "1", image);
  return image;
}

/** HEAD by tag, GET by digest, then every blob: as containerd pulls. */
async function pullImage({ client }: World, image: TestManifest): Promise<void> {
  const { config, layers: all } = JSON.parse(new TextDecoder().decode(image.bytes)) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  const requests = [
    "HEAD /v2/up/team/app/manifests/1",
    `GET /v2/up/team/app/manifests/${image.digest}`,
    ...[config, ...all].map(({ digest }) => `GET /v2/up/team/app/blobs/${digest}`),
  ];
  for (const request of requests) {
    const answer = await client.ask(request);
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
}

const rows: string[] = [];

it.each(pulls)("$title of five layers costs what it may", async (pull) => {
  const world = createWorld();
  const image = await push(world);
  await pull.prepare(world, image);
  world.sent.length = 0;
  const { A, B, kv, operations } = await counted(world.edge.gate, () => pullImage(world, image));
  expect([[A, B, kv], world.sent.length], operations.map(shortened).join("\n")).toEqual([
    pull.operations,
    pull.asked,
  ]);
  expect(await keysOf(world)).not.toEqual([]);
  rows.push(`| ${pull.title} | ${A} | ${B} | ${kv} | ${world.asked().map(briefly).join(", ")} |`);
});

it("the table is that of docs/pull-through-costs.md", async () => {
  const text = [
    "# What pulling through costs",
    "",
    "An image of a configuration and five layers, pulled through an upstream as containerd pulls it: HEAD by tag, GET by",
    "digest, GET of each blob. The upstream wants no log-in; one that does is asked once more, and its token server once.",
    "",
    "| pull | A | B | KV | asked of the upstream |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "A: R2 writes and lists. B: R2 reads. There is no edge cache in this count; it takes the place of reads. A tag that stays",
    "as it is costs no write however often it is looked at: until when it is fresh, each isolate remembers, and one that does",
    "not know takes the time at which the tag was last set. Written by `npx vitest run test/upstream/unit/costs.test.ts -u`.",
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../../../docs/pull-through-costs.md");
});

function briefly(line: string): string {
  const [method, path = ""] = line.split(" ");
  return `${method} ${path.includes("/blobs/") ? "blob" : "manifest"}`;
}
