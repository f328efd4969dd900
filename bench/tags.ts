import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deleteManifest } from "../src/storage/manifest-delete.ts";
import { listTagNames } from "../src/storage/tag-list.ts";
import { plot, type Series } from "./plot.ts";
import { allTags, seedDelete } from "./seed-delete.ts";
import { createTagWorld, onDigest, type TagWorld } from "./tag-world.ts";
import { type Cost, ticked } from "./ticks.ts";

// npm run bench:tags [-- --write]
// What a DELETE by digest and a list of tags cost as the tags of a repository grow, in Skerry and in distribution,
// on the same double of R2. --write puts table and plot into docs/.

const sizes = [100, 500, 1000, 5000, 10_000, 50_000];
const limits = [1, 2, 6];
const docs = join(import.meta.dirname, "..", "docs");
const begin = "<!-- table: written by npm run bench:tags -- --write -->";
const end = "<!-- /table -->";

type Measured = Pick<Cost<unknown>, "ticks" | "operations">;
interface Row {
  readonly tags: number;
  readonly skerry: Measured;
  readonly seed: readonly Measured[];
  readonly lists: { readonly skerry: Measured; readonly seed: Measured };
}

const rows: Row[] = [];
for (const tags of sizes) {
  const row = await measure(await createTagWorld(tags));
  rows.push(row);
  console.log(line(row));
}
if (process.argv.includes("--write")) await write();

async function measure(world: TagWorld): Promise<Row> {
  const { store, gate, name, digest, tags } = world;
  const lists = {
    skerry: expectCount(
      await ticked(gate, () =>
        listTagNames(store, name, Number.POSITIVE_INFINITY, undefined).then((page) => page.tags.length),
      ),
      tags,
    ),
    seed: expectCount(
      await ticked(gate, () =>
        allTags(store.bucket, store.layout.currentLinks(name)).then((found) => found.length),
      ),
      tags,
    ),
  };
  const seed: Measured[] = [];
  for (const limit of limits) {
    const run = () => seedDelete(store.bucket, store.layout, name, digest, { lookup: limit, untag: limit });
    seed.push(expectCount(await ticked(gate, run), onDigest));
    world.restore();
  }
  const skerry = await ticked(gate, () => deleteManifest(store, name, digest, 10_000));
  const left = await listTagNames(store, name, Number.POSITIVE_INFINITY, undefined);
  expectCount({ ...skerry, result: tags - left.tags.length }, onDigest);
  return { tags, skerry, seed, lists };
}

/** A benchmark of something that does not do its work would mean nothing. */
function expectCount(cost: Cost<number>, expected: number): Measured {
  if (cost.result !== expected) throw new Error(`${expected} tags expected, ${cost.result} found`);
  return cost;
}

function line({ tags, skerry, seed, lists }: Row): string {
  const cells = [skerry, ...seed, lists.skerry, lists.seed].map(
    ({ ticks, operations }) => `${ticks.toLocaleString("en")} (${operations.toLocaleString("en")})`,
  );
  return `| ${[tags.toLocaleString("en"), ...cells].join(" | ")} |`;
}

async function write(): Promise<void> {
  const path = join(docs, "bench-tags.md");
  const text = await readFile(path, "utf8");
  const head = [
    "tags",
    "Skerry",
    ...limits.map((limit) => `distribution, ${limit} at once`),
    "list: Skerry",
    "list: distribution",
  ];
  const table = [`| ${head.join(" | ")} |`, `|${"---:|".repeat(head.length)}`, ...rows.map(line)].join("\n");
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the marks of the table are missing in ${path}`);
  await writeFile(path, `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`);
  const points = (pick: (row: Row) => Measured | undefined) =>
    rows.map((row) => ({ x: row.tags, y: pick(row)?.ticks ?? 0 }));
  const series: Series[] = [
    ...limits.map((limit, index) => ({
      name: `distribution, ${limit} at once`,
      points: points(({ seed }) => seed[index]),
    })),
    { name: "Skerry", points: points(({ skerry }) => skerry) },
  ];
  await writeFile(
    join(docs, "bench-tags.svg"),
    plot("DELETE of a manifest by digest that ten tags name", "tags in the repository", "ticks", series),
  );
}
