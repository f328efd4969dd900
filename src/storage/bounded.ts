import pMap from "p-map";

/**
 * Runs `work` on every item, at most `limit` at a time, and gives the results in the order of the items: the
 * only way in which Skerry fans out (what errgroup.SetLimit is in distribution). The first failure rejects, and
 * no further item is begun; what is already in flight runs out.
 */
export function mapBounded<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  return pMap(items, work, { concurrency: limit });
}

/** As mapBounded, but a failure stops nothing: each item's outcome is reported. */
export function settleBounded<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  return mapBounded(items, limit, async (item, index): Promise<PromiseSettledResult<Result>> => {
    try {
      return { status: "fulfilled", value: await work(item, index) };
    } catch (reason) {
      return { status: "rejected", reason };
    }
  });
}
