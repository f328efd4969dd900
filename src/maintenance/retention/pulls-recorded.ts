import type { RepositoryName } from "../../oci/name.ts";
import type { Store } from "../../storage/store.ts";

const day = 24 * 3600 * 1000;
/** Milliseconds between passes after which nobody knows whether pulls were recorded all the time. */
const gap = 3 * day;

/**
 * Since when pulls of a repository are recorded, Unix time in milliseconds: now, if no pass within three days has seen a rule that
 * asks for them. What is older than that may have been pulled without a record.
 * @param writes whether this is remembered, for the passes to come.
 */
export async function pullsRecordedSince(
  store: Store,
  name: RepositoryName,
  writes: boolean,
): Promise<number> {
  const { bucket, clock, layout } = store;
  const now = clock.now();
  const record = await bucket.head(layout.pullsRecorded(name));
  const seen = record?.uploaded.getTime();
  const isWhole = seen !== undefined && now - seen < gap;
  const since = isWhole ? Number(record?.customMetadata?.since ?? now) : now;
  if (writes && (!isWhole || now - seen >= day / 2)) {
    await bucket.put(layout.pullsRecorded(name), "", { customMetadata: { since: String(since) } });
  }
  return since;
}
