import { mapBounded } from "../../storage/bounded.ts";
import type { Store } from "../../storage/store.ts";
import { type Claim, writeJournal } from "../gc/journal.ts";
import { readState } from "../gc/state.ts";
import { pages } from "../pages.ts";
import { type Checker, guarded } from "./checker.ts";

/**
 * Looks for claims without a link among those that passes of garbage collection have looked at for their age, and
 * so pass over from now on. To repair is to write them down for the next pass, which verifies before it takes.
 * @param progress called after each page with the number of its keys.
 */
export async function checkClaims(checker: Checker, progress: (keys: number) => void): Promise<void> {
  const { store } = checker;
  const before = await seenBefore(store);
  if (before <= 0) return;
  for await (const page of pages(store, store.layout.allOwners())) {
    const old = page.filter(({ uploaded }) => uploaded.getTime() < before);
    const found: Claim[] = [];
    await mapBounded(old, store.concurrency, (object) =>
      guarded(checker, object, async () => {
        const claim = await unlinked(checker, object);
        if (claim !== undefined) found.push(claim);
      }),
    );
    let written: Promise<unknown> | undefined;
    const repair = () => {
      written ??= writeJournal(store, found);
      return written;
    };
    for (const { digest, name } of found)
      await checker.find({ kind: "claim without link", name, digest }, repair);
    progress(page.length);
  }
}

/** Claims written before this time were looked at by a pass; Unix time in milliseconds. */
async function seenBefore(store: Store): Promise<number> {
  const state = await readState(store);
  return (state?.phase === "done" ? state.claimsUntil : state?.claimsSince) ?? 0;
}

/** The claim, if there is no link and no tombstone of one, whose sweep would take the claim too. */
async function unlinked({ store }: Checker, { key }: R2Object): Promise<Claim | undefined> {
  const { bucket, layout } = store;
  const claim = layout.parse(key);
  if (claim?.kind !== "owner") return undefined;
  const { digest, name } = claim;
  if ((await bucket.head(layout.layerLink(name, digest))) !== null) return undefined;
  if ((await bucket.head(layout.revisionLink(name, digest))) !== null) return undefined;
  // A sweep removes the link before the claim.
  return (await bucket.head(key)) === null ? undefined : { digest, name };
}
