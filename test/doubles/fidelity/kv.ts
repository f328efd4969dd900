import { describe, expect, it } from "vitest";

type Namespace = Pick<KVNamespace, "get" | "getWithMetadata" | "put" | "delete" | "list">;

/** Values, metadata and limits of KV. */
export function keyValue(open: () => Namespace): void {
  describe("values", () => {
    it("keeps a value and its metadata", async () => {
      await open().put("a", "7", { metadata: { digest: "x" } });
      expect(await open().getWithMetadata("a")).toEqual({
        value: "7",
        metadata: { digest: "x" },
        cacheStatus: null,
      });
      expect(await open().getWithMetadata("a", { type: "json", cacheTtl: 60 })).toMatchObject({ value: 7 });
      const { value } = await open().getWithMetadata("a", "arrayBuffer");
      expect(new TextDecoder().decode(value ?? new ArrayBuffer(0))).toBe("7");
      const { value: stream } = await open().getWithMetadata("a", "stream");
      expect(await new Response(stream).text()).toBe("7");
      expect(await open().get("a")).toBe("7");
    });

    it("replaces value and metadata together", async () => {
      await open().put("a", "old", { metadata: 1 });
      await open().put("a", new TextEncoder().encode("new"));
      expect(await open().getWithMetadata("a")).toMatchObject({ value: "new", metadata: null });
    });

    it("answers null for a missing or deleted key", async () => {
      const nothing = { value: null, metadata: null, cacheStatus: null };
      expect(await open().getWithMetadata("a")).toEqual(nothing);
      await open().put("a", "x");
      await open().delete("a");
      await open().delete("never there");
      expect(await open().getWithMetadata("a")).toEqual(nothing);
    });

    it("lists names in order, in pages", async () => {
      for (const key of ["b/2", "a", "b/1", "c"]) await open().put(key, "", { metadata: key });
      const first = await open().list({ prefix: "b/", limit: 1 });
      expect(first).toMatchObject({ keys: [{ name: "b/1", metadata: "b/1" }], list_complete: false });
      const cursor = first.list_complete ? null : first.cursor;
      expect(await open().list({ prefix: "b/", cursor })).toEqual({
        keys: [{ name: "b/2", metadata: "b/2" }],
        list_complete: true,
        cacheStatus: null,
      });
    });
  });

  describe("limits", () => {
    it.each([
      [
        "metadata of 1,025 bytes",
        { metadata: "x".repeat(1023) },
        "KV PUT failed: 413 Metadata length of 1025",
      ],
      ["a lifetime under 60 s", { expirationTtl: 59 }, "KV PUT failed: 400 Invalid expiration_ttl of 59."],
      ["no lifetime", { expirationTtl: 0 }, "KV PUT failed: 400 Invalid expiration_ttl of 0."],
    ])("refuses %s", async (_name, options, message) => {
      await expect(open().put("a", "x", options)).rejects.toThrow(message);
      expect(await open().get("a")).toBeNull();
    });

    it("takes metadata of 1,024 bytes and a lifetime of 60 s", async () => {
      const metadata = "x".repeat(1022);
      await open().put("a", "x", { metadata, expirationTtl: 60 });
      expect(await open().getWithMetadata("a")).toMatchObject({ value: "x", metadata });
    });

    it.each(["", ".", ".."])("refuses the key %j", async (key) => {
      await expect(open().put(key, "x")).rejects.toThrow(TypeError);
      await expect(open().get(key)).rejects.toThrow(TypeError);
    });

    it("refuses a key of 513 bytes", async () => {
      const key = `${"k".repeat(511)}\u00e9`;
      const message = "failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.";
      await expect(open().put(key, "x")).rejects.toThrow(`KV PUT ${message}`);
      await expect(open().get(key)).rejects.toThrow(`KV GET ${message}`);
      await expect(open().delete(key)).rejects.toThrow(`KV DELETE ${message}`);
    });

    it("refuses a cacheTtl under 30 s", async () => {
      const get = open().getWithMetadata("a", { type: "text", cacheTtl: 29 });
      await expect(get).rejects.toThrow("KV GET failed: 400 Invalid cache_ttl of 29.");
    });

    it("refuses a value that is no JSON when asked for JSON", async () => {
      await open().put("a", "text");
      await expect(open().getWithMetadata("a", "json")).rejects.toThrow(SyntaxError);
    });
  });
}
