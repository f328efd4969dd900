import { costOf } from "./support/budgets.ts";
import { count, dollars, table } from "./support/markdown.ts";
import { limits, prices } from "./support/prices.ts";
import { assumed, play, type Storm } from "./support/storm.ts";

const mebibyte = 1024 * 1024;
const million = 1e6;

/** Twenty layers of 410 MiB: most of 10 MiB, three of 80 MiB. */
const layers = [...Array(17).fill(10 * mebibyte), ...Array(3).fill(80 * mebibyte)];
const storm: Storm = { nodes: 10_000, seconds: 60, dataCentres: 1, layers, blobMax: 32 * mebibyte };
/** Milliseconds of CPU for one request, generously. */
const cpu = 0.5;

/** Everything that docs/scale.md holds. */
export function scale(): string {
  return [
    "# Scale, computed",
    "",
    "Computed by `bench/scale.ts` from the operations of [budgets.md](budgets.md) and Cloudflare's published prices and",
    "limits (`bench/support/prices.ts`), and written by its test. What follows from it is in [performance.md](performance.md).",
    "",
    "## A pull storm",
    "",
    ...stormText(),
    "",
    "## A repository of a million tags",
    "",
    ...tagsText(),
    "",
    "## A registry of 100,000 repositories",
    "",
    ...repositoriesText(),
    "",
  ].join("\n");
}

function stormText(): string[] {
  const variants: readonly (readonly [string, Partial<Storm>])[] = [
    ["as configured", {}],
    ["`CACHE_BLOB_MAX` 512 MiB", { blobMax: 512 * mebibyte }],
    ["`CACHE_TTL` 0: no copies", { blobMax: 0 }],
  ];
  const rows = [1, 10, 100].flatMap((dataCentres) =>
    variants.map(([name, variant]) => {
      const { requests, reads, peak, bytes, slowest } = play({ ...storm, dataCentres, ...variant });
      const money = reads * prices.B + requests * (prices.request + cpu * prices.cpu);
      return [
        String(dataCentres),
        name,
        count(requests),
        count(reads),
        count(peak),
        `${(bytes / 1e12).toFixed(2)} TB`,
        `${slowest.toFixed(1)} s`,
        dollars(money),
      ];
    }),
  );
  return [
    `${count(storm.nodes)} nodes, evenly within ${storm.seconds} s, pull one image of ${storm.layers.length} layers (17 of 10 MiB, 3 of 80 MiB) right after`,
    `its tag moved: HEAD by tag, GET by digest, configuration, layers, ${assumed.atOnce} at once. Assumed: R2 answers in ${assumed.r2 * 1000} ms and`,
    `brings ${assumed.r2Rate / mebibyte} MiB/s a read, the cache answers in ${assumed.cache * 1000} ms, a node takes ${assumed.nodeRate / million} MB/s, a request costs ${cpu} ms of CPU.`,
    "",
    ...table(
      [
        "data centres",
        "",
        "requests",
        "R2 reads",
        "in the busiest second",
        "from R2",
        "slowest pull",
        "money",
      ],
      rows,
    ),
    "",
    `R2 reads in a second that a bucket is said to take: about ${count(limits.readsPerSecond)} (from a draft of Cloudflare's documentation).`,
  ];
}

function tagsText(): string[] {
  const tags = million;
  const put = costOf("PUT manifest by tag, 12 references");
  const remove = costOf("DELETE manifest by digest, 1 tags ever on it");
  const pages = tags / limits.page;
  const objectsPerTag = 3;
  const bytesPerTag = 1000;
  const manifestBytes = 3000;
  return table(
    ["", "operations", "money", "time, or what limits it"],
    [
      [
        "push of a tag (12 references)",
        `${put.A} A, ${put.B} B, ${put.kv} KV`,
        `${dollars(put.A * prices.A + put.B * prices.B + put.kv * prices.kvWrite)}`,
        "as in an empty repository; one write a second to each tag",
      ],
      [
        "a million of them",
        `${count(put.A * tags)} A, ${count(put.B * tags)} B, ${count(tags)} KV`,
        dollars(tags * (put.A * prices.A + put.B * prices.B + put.kv * prices.kvWrite)),
        "no key is written by all of them",
      ],
      ["pull by tag", "1 B, 1 KV", dollars(prices.B + prices.kvRead), "as in an empty repository"],
      [
        "DELETE by digest, one tag on it",
        `${remove.A} A, ${remove.B} B`,
        dollars(remove.A * prices.A + remove.B * prices.B),
        "as in an empty repository: only the tags that ever named the digest count",
      ],
      ["`tags/list?n=1000`", "1 A (2, if R2 cuts the page for its metadata)", dollars(prices.A), "one round"],
      [
        "`tags/list` to its end",
        `${count(pages)} A`,
        dollars(pages * prices.A),
        `about ${((pages * assumed.r2) / 60).toFixed(0)} minute of lists, one after the other`,
      ],
      [
        "kept in R2 beside the content",
        `${count(objectsPerTag * tags)} objects`,
        `${dollars((tags * bytesPerTag * prices.gigabyte) / 1e9)} a month`,
        "register, reverse entry and distribution's link of each tag",
      ],
      [
        "kept in KV",
        `${count(tags)} records`,
        `${dollars((tags * manifestBytes * prices.kvGigabyte) / 1e9)} a month`,
        "the manifests, of 3 KB; `KV_RECORDS=off` saves it",
      ],
    ],
  );
}

/** R2 operations of a pass of garbage collection for each repository that it finds in order. */
export const gcPerRepository = { A: 5, B: 0 } as const;
/** R2 reads for each claim that a pass looks at, and for each repository with one: claims since the last pass, first all. */
export const gcPerClaim = 2;
export const gcPerClaimant = 1;

function repositoriesText(): string[] {
  const repositories = 100_000;
  const [manifests, blobs, shared] = [20, 200, 0.5];
  const links = repositories * blobs;
  const claims = repositories * (blobs + manifests);
  const contents = repositories * (manifests + blobs * shared);
  const pages = (keys: number) => Math.ceil(keys / limits.page);
  const pass = { A: repositories * gcPerRepository.A + pages(claims) + pages(contents), B: 0 };
  const deep = { A: pass.A, B: repositories * gcPerClaimant + claims * gcPerClaim };
  const row = (name: string, { A, B }: { readonly A: number; readonly B: number }) => [
    name,
    `${count(A)} A, ${count(B)} B`,
    dollars(A * prices.A + B * prices.B),
    `${steps(A + B, 900)}; ${steps(A + B, 9000)}`,
  ];
  const catalog = pages(repositories);
  return [
    `Each with ${manifests} manifests and ${blobs} layer links, half of whose blobs are its own: ${count(links)} links, ${count(claims)} claims, ${count(contents)} contents.`,
    "",
    ...table(
      ["", "operations", "money", "time, or what limits it"],
      [
        ["push, pull, delete", "as in a registry of one repository", "", "every key is found by its name"],
        ["`_catalog?n=1000`", "1 A", dollars(prices.A), "one round"],
        [
          "`_catalog` to its end",
          `${catalog} A`,
          dollars(catalog * prices.A),
          `${(catalog * assumed.r2).toFixed(0)} s`,
        ],
        row("a pass of garbage collection that finds all in order", pass),
        row("the first one after such a bucket was taken over: all claims too", deep),
        [
          "links and claims in R2",
          `${count(links + claims)} objects`,
          `${dollars(((links + claims) * 300 * prices.gigabyte) / 1e9)} a month`,
          "beside the content; their number is not limited",
        ],
      ],
    ),
  ];
}

/** How long so many operations take, so many a step. */
function steps(operations: number, perStep: number): string {
  const needed = Math.ceil(operations / perStep);
  return `${count(needed)} steps of ${count(perStep)} operations: ${count(needed / 24)} days at one an hour`;
}

if (import.meta.main) console.log(scale());
