import { mapBounded } from "../../storage/bounded.ts";
import { noteForCollection } from "../../storage/catalog.ts";
import { readLink } from "../../storage/link.ts";
import { OutOfOperations } from "../../storage/metered-bucket.ts";
import { whenWritable } from "../../storage/register.ts";
import { objects } from "../pages.ts";
import { type Collector, isOlder, portions, sweepBatch } from "./collector.ts";
import { type Claim, parseJournal, printJournal, writeJournal } from "./journal.ts";

/** Operations that verify a claim at most: itself, and two links that may be distribution's. */
const toVerify = 5;

/**
 * Takes those of the claims, all older than the grace, that no link stands behind. The repositories of all are noted
 * for a visit: where there is no link there may be segments of an upload or import that did not come to its end.
 */
export async function collectClaims(collector: Collector, due: readonly Claim[]): Promise<void> {
  const { store } = collector;
  const linked = await mapBounded(due, store.concurrency, (claim) => isLinked(collector, claim));
  const names = new Set(due.map(({ name }) => name));
  if (!collector.dryRun) await mapBounded(names, store.concurrency, (name) => noteForCollection(store, name));
  const idle = due.filter((_, index) => !linked[index]);
  // Later passes do not look at them again for their age.
  if (idle.length > 0 && !(await sweepClaims(collector, idle))) await writeJournal(store, idle);
}

/**
 * Looks at the claims that sweeps wrote down and then died, and at those that a check found. What is journaled needs
 * no haste, since bytes go two passes later at the earliest: so once a pass is enough.
 * @throws OutOfOperations also when some are left for the next step.
 */
export async function collectJournaled(collector: Collector): Promise<void> {
  const { store, dryRun } = collector;
  const { bucket, layout } = store;
  if (dryRun) return;
  for await (const { key } of objects(store, layout.gcJournals())) {
    const object = await bucket.get(key);
    if (object === null) continue;
    const claims = parseJournal(await object.text());
    const [portion = []] = portions(collector, claims, toVerify);
    // Under the guard: the sweep that wrote them down is over, and so are its deletes.
    if (portion.length > 0 && !(await sweepClaims(collector, portion))) return;
    const rest = claims.slice(portion.length);
    if (rest.length === 0) {
      await bucket.delete(key);
      continue;
    }
    await whenWritable(store, () => bucket.put(key, printJournal(rest)));
    throw new OutOfOperations();
  }
}

async function isLinked(collector: Collector, { digest, name }: Claim): Promise<boolean> {
  const { store } = collector;
  const [layer, revision] = await Promise.all([
    readLink(store, store.layout.layerLink(name, digest), digest),
    readLink(store, store.layout.revisionLink(name, digest), digest),
  ]);
  return layer.target !== undefined || revision.target !== undefined;
}

/** @returns whether the batch was taken to its end. */
function sweepClaims(collector: Collector, idle: readonly Claim[]): Promise<boolean> {
  const { store, policy, report } = collector;
  const verify = async () => {
    const keys = await mapBounded(idle, store.concurrency, async (claim) => {
      const key = store.layout.owner(claim.digest, claim.name);
      const owner = await store.bucket.head(key);
      if (owner === null || !isOlder(collector, owner, policy.grace)) return undefined;
      return (await isLinked(collector, claim)) ? undefined : key;
    });
    return [keys.filter((key) => key !== undefined)];
  };
  return sweepBatch(collector, verify, ([keys = []]) => {
    report.counts.claims += keys.length;
  });
}
