import { pairs, readers, triples } from "./cases.ts";
import { sweeps } from "./collector.ts";
import { foreign } from "./foreign-cases.ts";
import { garbage } from "./garbage-cases.ts";
import type { CrashesRow, MutationRow, OrdersRow, Row } from "./row.ts";
import { sessions } from "./uploads.ts";

const introduction = `# Interleavings

Written by the tests; do not edit. To renew it:

\`\`\`sh
npx vitest run test/interleavings --reporter=default --reporter=./test/interleavings/reporter.ts
\`\`\`

\`test/interleavings/\` runs requests of the real application over doubles of R2 and KV that hold every operation
back until a scheduler lets it take effect. Every order of the operations of two requests is run, up to those that
nobody can tell apart; after each run the answers must be explained by some order of the requests that respects
what came before what (linearizability, for each tag, image and blob, and for the registry as a whole where
every request was answered and none only reads), and what is left in the bucket must fit together. Sweeps are those of
a small collector (\`collector.ts\`) that follows the protocol step by step, against which the writers must hold;
"collector" means a whole pass of the real one (\`garbage.ts\`), with a grace of an hour that is over for what it is to
take. Beside it, whatever a request wrote and was told so must be there to its last key. When a collector or a client
dies there, the clock may also move by six minutes, after which writers take a silent collector for dead.
"Its events": distribution writes to the same bucket, and a consumer follows the events of it one after the other; besides,
neither of two writers of a tag who did not overlap may lose it to the one before.
\`VITE_INTERLEAVINGS_EFFORT=20\` runs twenty times as many orders where the tables say "sampled".

## What is not run, and why

- Two operations commute if they touch different keys, or change nothing: only one of their orders is run. A list
  touches every key below its prefix; a conditional put that is refused changes nothing. An order in which one
  request ends before another begins is told apart from one in which they overlap. \`explore.test.ts\` checks the
  reduction against running every order.
- Answers to operations that one request has in flight together reach it in one order only, if the operations
  commute: no code of Skerry depends on which of them comes first.
- The end of a pause commutes with everything; the clock otherwise stands still, but beside distribution, where each
  turn takes a millisecond and the writing of an entry of a tag's index commutes with nothing, since its time decides.
- "Pruned" runs were given up when all that was left would have repeated an order already run (sleep sets).
- Where a case has more orders than the tests have time for, the first ones are run systematically and as many again
  are drawn at random, the same ones each time.

## What is allowed besides one request at a time

\`leniency.ts\` has these, \`docs/protocols.md\` the reasons:

- A DELETE of an image that overlaps another write of it, or follows one that died, may answer 202 where 404 was due.
- A PUT that loses its tag to a faster writer after its condition had held answers 412 and may leave its image, untagged.
- While a DELETE of an image is under way, reads of a tag that names it may or may not still show it.
- A request that dies may have had its effect, half of it, or none. Projections that it left behind wait for the next
  writer, a repetition of the request, or \`check --repair\`.
`;

/** The names in the table of orders, in its order. */
export const names: readonly string[] = [
  ...pairs,
  ...sessions,
  ...sweeps,
  ...garbage,
  ...foreign,
  ...readers,
  ...triples,
].map(({ name }) => name);

/** The text of docs/interleavings.md; cases are in the order of cases.ts, whenever they ran. */
export function report(found: readonly Row[]): string {
  const rows = found.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  const orders = rows.filter((row): row is OrdersRow => row.table === "orders");
  const crashes = rows.filter((row): row is CrashesRow => row.table === "crashes");
  const mutations = rows.filter((row): row is MutationRow => row.table === "mutations");
  return [
    introduction,
    "## Orders\n",
    table(
      [
        "requests beside each other",
        "turns",
        "orders without reduction",
        "run",
        "pruned",
        "drawn",
        "histories",
        "violations",
      ],
      orders.map((row) => [
        row.name,
        row.turns,
        `10^${row.unreduced.toFixed(1)}`,
        row.complete ? `${row.orders} (all)` : row.orders,
        row.pruned,
        row.samples === 0 ? "" : row.samples,
        row.histories,
        row.violations,
      ]),
    ),
    `\n## Requests that die\n
Each request of each case dies after each of its operations; every subset of its writes in flight is lost and the
others may land at any later time; the client sends the request again, or does not. Beside the collector the points and
the lost writes are drawn at random.\n`,
    table(
      ["requests beside each other", "points", "of them sampled", "runs", "histories", "violations"],
      crashes.map((row) => [row.name, row.points, row.sampled, row.runs, row.histories, row.violations]),
    ),
    `\n## Steps left out\n
Each step of the protocols, left out or done wrongly by a layer between the application and the bucket, is found by
the case named here.\n`,
    table(
      ["what is wrong", "caught by", "after runs", "complaint"],
      mutations.map((row) => [
        row.name,
        row.caughtBy === undefined ? "(not needed)" : `${row.caughtBy}${row.needsCrash ? ", one dies" : ""}`,
        row.runs,
        row.complaint,
      ]),
    ),
    "",
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
