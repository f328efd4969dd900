import { r2Error } from "./r2-error.ts";
import { R2ObjectDouble, type StoredObject } from "./r2-object.ts";

/** Objects in the order of their keys, found by binary search. */
export class ObjectMap {
  readonly #byKey = new Map<string, StoredObject>();
  readonly #keys: string[] = [];

  get(key: string): StoredObject | undefined {
    return this.#byKey.get(key);
  }

  set(object: StoredObject): void {
    if (!this.#byKey.has(object.key)) this.#keys.splice(this.#from(object.key), 0, object.key);
    this.#byKey.set(object.key, object);
  }

  /** Returns whether the key existed. */
  delete(key: string): boolean {
    const existed = this.#byKey.delete(key);
    if (existed) this.#keys.splice(this.#from(key), 1);
    return existed;
  }

  /** The objects whose keys start with `prefix`, in order, from the first key that is at least `first`. */
  *from(prefix: string, first: string): Generator<StoredObject> {
    for (let i = this.#from(first > prefix ? first : prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i];
      const object = key?.startsWith(prefix) === true ? this.#byKey.get(key) : undefined;
      if (object === undefined) return;
      yield object;
    }
  }

  #from(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * One page of a list: at most `limit` objects and delimited prefixes together (1..1000), and no more than
 * `pageWithMetadata` if metadata is included.
 * @throws the error 10022 for a limit out of range.
 */
export function listObjects(map: ObjectMap, options: R2ListOptions, pageWithMetadata: number): R2Objects {
  const asked = options.limit ?? 1000;
  if (asked < 1 || asked > 1000) throw r2Error("list", 10022);
  const include = options.include ?? [];
  const limit = include.length > 0 ? Math.min(asked, pageWithMetadata) : asked;
  const prefix = options.prefix ?? "";
  const delimiter = options.delimiter ?? "";
  const after = laterOf(options.startAfter, decodeCursor(options.cursor));
  const objects: R2Object[] = [];
  const prefixes: string[] = [];
  let last = "";
  for (const stored of map.from(prefix, after ?? "")) {
    if (after !== undefined && stored.key <= after) continue;
    const group = delimitedPrefix(stored.key, prefix, delimiter);
    if (group === undefined || group !== prefixes.at(-1)) {
      if (objects.length + prefixes.length === limit) {
        return { objects, delimitedPrefixes: prefixes, truncated: true, cursor: encodeCursor(last) };
      }
      if (group === undefined) objects.push(listed(stored, include));
      else prefixes.push(group);
    }
    last = stored.key;
  }
  return { objects, delimitedPrefixes: prefixes, truncated: false };
}

function delimitedPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

function listed(stored: StoredObject, include: readonly string[]): R2Object {
  return new R2ObjectDouble({
    ...stored,
    httpMetadata: include.includes("httpMetadata") ? stored.httpMetadata : {},
    customMetadata: include.includes("customMetadata") ? stored.customMetadata : {},
  });
}

function laterOf(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function encodeCursor(key: string): string {
  return btoa(encodeURIComponent(key));
}

function decodeCursor(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : decodeURIComponent(atob(cursor));
}
