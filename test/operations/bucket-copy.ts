import type { R2Double } from "../doubles/r2.ts";
import type { Copy } from "./recipe.ts";

type Bucket = ReturnType<R2Double["actor"]>;

/**
 * Does what the copies of a recipe say, between two buckets, as rclone does it by S3's API: it lists first and
 * reads later, sees metadata as headers, whose names have no case, and adds a time of its own.
 * @param places what the variables of the recipe stand for in each bucket.
 */
export async function copyBucket(
  source: Bucket,
  target: Bucket,
  copies: readonly Copy[],
  places: Readonly<Record<string, string>>,
): Promise<void> {
  for (const copy of copies) {
    const from = `${placeOf(copy.from, places)}/`;
    const to = `${placeOf(copy.to, places)}/`;
    for (const key of await keysBelow(source, from)) {
      const path = key.slice(from.length);
      if (!copy.takes(path)) continue;
      if (copy.ignoreExisting && (await target.head(to + path)) !== null) continue;
      const object = await source.get(key);
      if (object === null) continue;
      const customMetadata = copy.metadata ? asHeaders(object.customMetadata ?? {}) : {};
      await target.put(to + path, await object.arrayBuffer(), { customMetadata });
    }
  }
}

async function keysBelow(bucket: Bucket, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, ...(cursor !== undefined && { cursor }) });
    keys.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys;
}

function asHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const lowered = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...Object.fromEntries(lowered), mtime: "1767225600.5" };
}

function placeOf(path: string, places: Readonly<Record<string, string>>): string {
  return path.replace(/\$(\w+)/g, (_, name: string) => {
    const place = places[name];
    if (place === undefined) throw new Error(`${path}: what is $${name}?`);
    return place;
  });
}
