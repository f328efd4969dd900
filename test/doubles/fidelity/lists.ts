import { beforeEach, describe, expect, it } from "vitest";
import { createDoubles } from "../doubles.ts";
import type { AnyBucket, Open } from "./bucket.ts";

/** Lists with every combination of options. */
export function lists(open: Open): void {
  describe("list", () => {
    const keys = ["a", "a/", "a/1", "a/1/x", "a/1/y", "a/1-alpine/x", "a/2", "b/1", "b/2/z", "c"];
    const prefixes = [undefined, "a", "a/", "a/1", "b/", "none"];
    const starts = [undefined, "a/1", "a/1/x", "b", "zz"];
    const delimiters = [undefined, "/", "1/"];
    const limits = [undefined, 1, 2, 5];

    beforeEach(async () => {
      for (const key of keys) await open().put(key, key, { customMetadata: { key } });
    });

    const combinations = prefixes.flatMap((prefix) =>
      starts.flatMap((startAfter) => delimiters.map((delimiter) => ({ prefix, startAfter, delimiter }))),
    );

    it("gives the same pages for every combination of options", async () => {
      const reference = createDoubles().r2.actor("reference");
      for (const key of keys) await reference.put(key, key);
      for (const combination of combinations) {
        for (const limit of limits) {
          const options = defined({ ...combination, limit });
          expect([options, await pages(open(), options)]).toEqual([options, await pages(reference, options)]);
        }
      }
    });

    it("orders by bytes and groups by the delimiter", async () => {
      expect(await pages(open(), { prefix: "a/", delimiter: "/" })).toEqual([
        { keys: ["a/", "a/1", "a/2"], prefixes: ["a/1-alpine/", "a/1/"] },
      ]);
      expect((await open().list({ prefix: "a/1" })).objects.map((object) => object.key)).toEqual([
        "a/1",
        "a/1-alpine/x",
        "a/1/x",
        "a/1/y",
      ]);
    });

    it("names a delimited prefix even if startAfter is inside it", async () => {
      const options = { prefix: "a/", delimiter: "/", startAfter: "a/1/x" };
      expect(await pages(open(), options)).toEqual([{ keys: ["a/2"], prefixes: ["a/1/"] }]);
    });

    it("gives metadata only if asked", async () => {
      const metadata = async (include?: ("customMetadata" | "httpMetadata")[]) =>
        (await open().list(defined({ prefix: "c", include }))).objects[0]?.customMetadata;
      expect([
        await metadata(),
        await metadata(["httpMetadata"]),
        await metadata(["customMetadata"]),
      ]).toEqual([{}, {}, { key: "c" }]);
    });

    it("cuts a page with metadata at 100, and any at 1,000", async () => {
      const more = Array.from({ length: 1001 }, (_, i) => `m/${String(i).padStart(4, "0")}`);
      await Promise.all(more.map((key) => open().put(key, "")));
      const sizes = async (options: R2ListOptions) =>
        (await pages(open(), { prefix: "m/", ...options })).map((page) => page.keys.length);
      expect(await sizes({})).toEqual([1000, 1]);
      expect(await sizes({ include: ["customMetadata"] })).toEqual([...new Array(10).fill(100), 1]);
      expect(await sizes({ limit: 400 })).toEqual([400, 400, 201]);
    });
  });
}

/** Every page of a list, followed by its cursors. */
async function pages(bucket: AnyBucket, options: R2ListOptions) {
  const all: { readonly keys: readonly string[]; readonly prefixes: readonly string[] }[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await bucket.list(defined({ ...options, cursor }));
    all.push({ keys: page.objects.map((object) => object.key), prefixes: page.delimitedPrefixes });
    if (!page.truncated) return all;
    cursor = page.cursor;
  }
}

/** Options without the fields that are undefined. */
function defined(options: { readonly [Name in keyof R2ListOptions]: R2ListOptions[Name] | undefined }) {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as R2ListOptions;
}
