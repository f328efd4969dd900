import { describe, expect, it } from "vitest";
import { type Open, range } from "./bucket.ts";

/** `range` of get, and the limits of keys, metadata and lists. */
export function ranges(open: Open): void {
  describe("ranges", () => {
    it.each([
      [{ offset: 2 }, "llo", 2],
      [{ offset: 1, length: 3 }, "ell", 1],
      [{ offset: 4, length: 100 }, "o", 4],
      [{ length: 3 }, "hel", 0],
      [{ suffix: 2 }, "lo", 3],
      [{ suffix: 100 }, "hello", 0],
    ] as const)("%j", async (asked, text, offset) => {
      await open().put("a", "hello");
      const get = await open().get("a", { range: asked });
      expect([range(get), get?.size]).toEqual([{ offset, length: text.length }, 5]);
      expect(await get?.text()).toBe(text);
    });

    it.each([{ offset: 5 }, { offset: 6 }, { length: 0 }, { suffix: 0 }])("refuses %j", async (asked) => {
      await open().put("a", "hello");
      await expect(open().get("a", { range: asked })).rejects.toThrow(
        "get: The requested range is not satisfiable (10039)",
      );
    });

    it("refuses every range of an empty object", async () => {
      await open().put("a", null);
      await expect(open().get("a", { range: { offset: 0 } })).rejects.toThrow(/\(10039\)$/);
      await expect(open().get("a", { range: { suffix: 1 } })).rejects.toThrow(/\(10039\)$/);
    });

    it.each([{ offset: -1 }, { offset: 0, length: -1 }, { suffix: -1 }])(
      "refuses %j at once",
      async (asked) => {
        await expect(open().get("a", { range: asked })).rejects.toThrow(RangeError);
      },
    );

    it.each([
      ["bytes=0-1", "he"],
      ["bytes=2-", "llo"],
      ["bytes=-2", "lo"],
      ["bytes=3-100", "lo"],
      ["bytes=-100", "hello"],
      ["bytes=9-", "hello"],
      ["bytes=3-1", "hello"],
      ["bytes=0-1,3-4", "hello"],
      ["bytes=-0", "hello"],
      ["lines=1-2", "hello"],
    ])("header %s", async (header, text) => {
      await open().put("a", "hello");
      const get = await open().get("a", { range: new Headers({ range: header }) });
      expect(await get?.text()).toBe(text);
    });
  });

  describe("limits", () => {
    it("counts the metadata in Latin-1, or doubles it", async () => {
      const put = (value: string) => open().put("a", "x", { customMetadata: { k: value } });
      await put("v".repeat(8191));
      await put(`\u0100${"v".repeat(4094)}`);
      const message = "put: Your metadata headers exceed the maximum allowed metadata size. (10012)";
      await expect(put("v".repeat(8192))).rejects.toThrow(message);
      await expect(put(`\u0100${"v".repeat(4095)}`)).rejects.toThrow(message);
    });

    it("refuses a key of more than 1,024 bytes", async () => {
      const key = `${"k".repeat(1023)}\u00e9`;
      const message = (verb: string) => `${verb}: The specified object name is not valid. (10020)`;
      await expect(open().put(key, "")).rejects.toThrow(message("put"));
      await expect(open().get(key)).rejects.toThrow(message("get"));
      await expect(open().head(key)).rejects.toThrow(message("head"));
      await expect(open().delete(key)).rejects.toThrow(message("delete"));
    });

    it.each([0, 1001])("refuses a list of %d", async (limit) => {
      await expect(open().list({ limit })).rejects.toThrow(
        "list: MaxKeys params must be positive integer <= 1000. (10022)",
      );
    });
  });
}
