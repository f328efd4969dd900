import { queueText } from "./queue-costs.ts";
import { costOf } from "./support/budgets.ts";
import { count, dollars, table } from "./support/markdown.ts";
import { daysPerMonth, freePerDay, included, prices } from "./support/prices.ts";

/** What an image is in these examples: layers, how many of them are new in a push, and bytes of each. */
const image = { layers: 11, fresh: 3, layerBytes: 20 * 1024 * 1024 };
/** The share of blobs and manifests that a pull finds in its data centre. */
const copied = 0.8;
/** Milliseconds of CPU for a request that reads, and for a mebibyte of a body of unknown length. */
const cpu = { request: 0.5, mebibyte: 3 };

/** What something uses of everything that is counted. */
interface Use {
  readonly A: number;
  readonly B: number;
  readonly kvReads: number;
  readonly kvWrites: number;
  readonly requests: number;
  /** Writes of links. */
  readonly links: number;
  /** Milliseconds. */
  readonly cpu: number;
}

interface Example {
  readonly name: string;
  readonly pushesPerDay: number;
  readonly pullsPerDay: number;
  readonly gigabytes: number;
}

const examples: readonly Example[] = [
  { name: "one developer", pushesPerDay: 10, pullsPerDay: 50, gigabytes: 8 },
  { name: "a team", pushesPerDay: 200, pullsPerDay: 4000, gigabytes: 200 },
  { name: "a company", pushesPerDay: 5000, pullsPerDay: 200_000, gigabytes: 5000 },
];

/** Everything that docs/costs.md holds. */
export function costs(): string {
  return [
    "# Costs and distances, computed",
    "",
    "Computed by `bench/costs.ts` from the operations and rounds of [budgets.md](budgets.md) and Cloudflare's published prices",
    "(`bench/support/prices.ts`), and written by its test. Nothing here was measured at Cloudflare.",
    "",
    "## A month",
    "",
    ...monthText(),
    "",
    "## Queues and metrics",
    "",
    ...queueText(examples, pushUse(), pullUse()),
    "",
    "## How far the bucket is",
    "",
    ...distanceText(),
    "",
  ].join("\n");
}

/** A push as docker does it: every blob is asked for, and new ones come by POST, PATCH of unknown length, and PUT. */
export function pushUse(): Use {
  const steps: readonly (readonly [string, number])[] = [
    ["HEAD blob", image.layers + 1],
    ["POST upload", image.fresh + 1],
    ["PATCH of unknown length, 20 MiB", image.fresh],
    ["closing PUT after it", image.fresh],
    ["PATCH, whole small blob (the shortcut)", 1],
    ["closing PUT after the shortcut", 1],
    ["PUT manifest by tag, 12 references", 1],
  ];
  // Beside these: GET /v2/, and a token.
  const requests = 2 + steps.reduce((sum, [, times]) => sum + times, 0);
  const bodies = (image.fresh * image.layerBytes) / 1024 / 1024;
  return {
    ...sumOf(steps),
    kvReads: 0,
    kvWrites: costOf("PUT manifest by tag, 12 references").kv,
    requests,
    cpu: requests * cpu.request + bodies * cpu.mebibyte,
  };
}

/** A pull by a machine that has nothing of the image: HEAD by tag, GET by digest, configuration and layers. */
export function pullUse(): Use {
  const { layers } = image;
  const steps: readonly (readonly [string, number])[] = [
    ["HEAD manifest by tag", 1],
    ["GET manifest by digest", 1 - copied],
    ["GET blob", (layers + 1) * (1 - copied)],
  ];
  const requests = 2 + 2 + layers + 1;
  return { ...sumOf(steps), kvReads: 0, kvWrites: 0, requests, cpu: requests * cpu.request };
}

function sumOf(steps: readonly (readonly [string, number])[]): Pick<Use, "A" | "B" | "links"> {
  let [A, B, links] = [0, 0, 0];
  for (const [request, times] of steps) {
    const cost = costOf(request);
    A += times * cost.A;
    B += times * cost.B;
    links += times * cost.links;
  }
  return { A, B, links };
}

function monthText(): string[] {
  const push = pushUse();
  const pull = pullUse();
  const rows = examples.map(({ name, pushesPerDay, pullsPerDay, gigabytes }) => {
    const perDay = (kind: keyof Use) => push[kind] * pushesPerDay + pull[kind] * pullsPerDay;
    const beyond = (kind: keyof Use, free: number) => Math.max(0, perDay(kind) * daysPerMonth - free);
    const r2 =
      beyond("A", included.A) * prices.A +
      beyond("B", included.B) * prices.B +
      Math.max(0, gigabytes - included.gigabytes) * prices.gigabyte;
    const worker =
      beyond("requests", included.requests) * prices.request + beyond("cpu", included.cpu) * prices.cpu;
    const kv =
      beyond("kvReads", included.kvReads) * prices.kvRead +
      beyond("kvWrites", included.kvWrites) * prices.kvWrite;
    const isFree = perDay("requests") <= freePerDay.requests;
    return [
      name,
      `${count(pushesPerDay)} and ${count(pullsPerDay)}`,
      `${count(gigabytes)} GB`,
      count(perDay("requests")),
      `${count(perDay("A"))} and ${count(perDay("B"))}`,
      count(perDay("kvWrites")),
      isFree ? "Free" : "Paid",
      dollars(r2 + (isFree ? 0 : included.paidPlan + worker + kv)),
    ];
  });
  return [
    `An image has ${image.layers} layers, of which a push brings ${image.fresh} new ones of ${image.layerBytes / 1024 / 1024} MiB each; ${copied * 100} % of what a pull asks for by digest`,
    `is copied in its data centre. A push is then ${push.A} A, ${push.B} B and ${push.requests} requests, a pull ${pull.B.toFixed(1)} B and ${pull.requests} requests. CPU: ${cpu.request} ms a request, ${cpu.mebibyte} ms`,
    "for a mebibyte of a body of unknown length. What is free in a month is taken off. Downloads cost nothing beside.",
    "",
    ...table(
      [
        "registry",
        "pushes and pulls a day",
        "stored",
        "requests a day",
        "A and B a day",
        "KV writes a day",
        "requests fit the plan",
        "a month",
      ],
      rows,
    ),
    "",
    `The Free plan allows ${count(freePerDay.requests)} requests and ${count(freePerDay.kvWrites)} KV writes a day; beyond the latter pushes go on, and pulls by tag take a round more.`,
    "Its 10 ms of CPU for a request are too little for layers that docker sends without their length: see [operations](operations.md).",
  ];
}

/** Milliseconds that a data centre waits for an answer of R2, besides R2's own work: near, one continent, the next, the far side. */
const distances = [10, 80, 150, 280] as const;

function distanceText(): string[] {
  const requests = [
    "GET manifest by tag, KV right",
    "GET manifest by tag, eventual",
    "HEAD manifest by tag",
    "GET manifest by digest, with a copy in the data centre",
    "GET manifest by digest",
    "GET blob",
    "PUT blob after POST",
    "closing PUT after it",
    "PUT manifest by tag, 12 references",
    "DELETE manifest by digest, 1 tags ever on it",
    "tags/list, 100 tags on a page",
  ];
  const rows = requests.map((request) => {
    const { rounds } = costOf(request);
    return [
      request,
      String(rounds),
      ...distances.map((milliseconds) => `${count(rounds * milliseconds)} ms`),
    ];
  });
  return [
    "Rounds to R2 before the answer, and what they add when the data centre of the client is so many milliseconds (there and back) from the",
    "bucket. R2's own work, and the client's way to its data centre, come on top.",
    "",
    ...table(["request", "rounds", ...distances.map((milliseconds) => `at ${milliseconds} ms`)], rows),
  ];
}

if (import.meta.main) console.log(costs());
