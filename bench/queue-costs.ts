import { count, dollars, table } from "./support/markdown.ts";
import { daysPerMonth, freePerDay, included, prices } from "./support/prices.ts";

/** Messages for one webhook that wants everything but blobs, as its test counts them. */
export const messages = { push: 2, pull: 1 } as const;
/** A message is written, read and deleted. */
const operations = 3;

interface PerDay {
  readonly name: string;
  readonly pushesPerDay: number;
  readonly pullsPerDay: number;
}

interface Counted {
  readonly requests: number;
  readonly links: number;
}

/** Something that is priced by the piece. */
interface Kind {
  readonly free: number;
  readonly included: number;
  readonly price: number;
}

const queue: Kind = {
  free: freePerDay.queueOperations,
  included: included.queueOperations,
  price: prices.queueOperation,
};
const metrics: Kind = {
  free: freePerDay.dataPoints,
  included: included.dataPoints,
  price: prices.dataPoint,
};

/** What the bindings cost that a registry may go without, for some registries. */
export function queueText(registries: readonly PerDay[], push: Counted, pull: Counted): string[] {
  const row = (title: string, counted: string, kind: Kind, ofPush: number, ofPull: number) => [
    title,
    counted,
    ...registries.map(({ pushesPerDay, pullsPerDay }) =>
      described(kind, pushesPerDay * ofPush + pullsPerDay * ofPull),
    ),
  ];
  const { push: told, pull: pulled } = messages;
  return [
    "None of these bindings is needed. A cell has the operations, or data points, of a day, and whether the Free plan has room for them; else what",
    `a month costs on the Paid plan beyond what it includes, each row by itself. A message is ${operations} operations of its queue, and one more for each`,
    "time that its delivery is repeated. What a Worker does for the messages that it takes is not in the table.",
    "",
    ...table(
      ["what", "counted", ...registries.map(({ name }) => name)],
      [
        row("[webhook](events.md), pushes and tags", `${told} messages a push`, queue, told * operations, 0),
        row("the same, and pulls", `${pulled} a pull besides`, queue, told * operations, pulled * operations),
        row(
          "[events of the bucket](big-layers.md#second-front-door), of Skerry's own pushes",
          `${push.links} links, and so messages, a push`,
          queue,
          push.links * operations,
          0,
        ),
        row("[metrics](operations.md)", "1 data point a request", metrics, push.requests, pull.requests),
      ],
    ),
    "",
    `The prices are ${dollars(prices.queueOperation * 1e6)} for a million operations of queues and ${dollars(prices.dataPoint * 1e6)} for a million data points, the first ${count(included.queueOperations)} and`,
    `${count(included.dataPoints)} of a month being included; the Free plan allows ${count(freePerDay.queueOperations)} and ${count(freePerDay.dataPoints)} a day. More webhooks are more messages.`,
    "`EVENTS_PULL_SAMPLE` lessens those of pulls. Of Analytics Engine Cloudflare published prices before it began to bill: until it does, metrics",
    "cost nothing.",
  ];
}

function described({ free, included: without, price }: Kind, perDay: number): string {
  const isFree = perDay <= free;
  const beyond = Math.max(0, perDay * daysPerMonth - without);
  return `${count(perDay)}, ${isFree ? "Free" : dollars(beyond * price)}`;
}
