import { describe, expect, it } from "vitest";
import type { ResponseCache } from "../../../src/storage/ports.ts";

const url = "https://registry.example/v2/copy";

function copy(body: BodyInit, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(body, { status, headers: { "Cache-Control": "max-age=60", ...headers } });
}

/** What the Cache API keeps, gives back and refuses. */
export function responseCache(open: () => ResponseCache): void {
  describe("copies", () => {
    it("gives back what was put, with its length", async () => {
      await open().put(
        url,
        copy(new Uint8Array([1, 2, 3]), { "Content-Type": "a/b", "Skerry-Generation": "g" }),
      );
      const found = await open().match(url);
      expect(
        ["Content-Type", "Skerry-Generation", "Content-Length"].map((name) => found?.headers.get(name)),
      ).toEqual(["a/b", "g", "3"]);
      expect(new Uint8Array((await found?.arrayBuffer()) ?? [])).toEqual(new Uint8Array([1, 2, 3]));
    });

    it("gives back every time, and the latest", async () => {
      await open().put(url, copy("old"));
      await open().put(url, copy("new"));
      for (const _ of [1, 2]) expect(await (await open().match(url))?.text()).toBe("new");
    });

    it("takes a stream of known length", async () => {
      const { readable, writable } = new FixedLengthStream(5);
      const written = new Blob(["hello"]).stream().pipeTo(writable);
      await open().put(url, copy(readable));
      await written;
      const found = await open().match(url);
      expect(found?.headers.get("Content-Length")).toBe("5");
      expect(await found?.text()).toBe("hello");
    });

    it("keeps nothing that does not say for how long", async () => {
      await open().put(url, new Response("x"));
      expect(await open().match(url)).toBeUndefined();
    });

    it("tells other URLs apart", async () => {
      await open().put(url, copy("x"));
      expect(await open().match(`${url}2`)).toBeUndefined();
      expect(await open().match(url.replace("registry", "other"))).toBeUndefined();
    });

    it("removes, and says whether there was something", async () => {
      await open().put(url, copy("x"));
      expect([await open().delete(url), await open().delete(url)]).toEqual([true, false]);
      expect(await open().match(url)).toBeUndefined();
    });

    it("refuses parts, and what varies with everything", async () => {
      await expect(open().put(url, copy("x", {}, 206))).rejects.toThrow(TypeError);
      await expect(open().put(url, copy("x", { Vary: "*" }))).rejects.toThrow(TypeError);
    });
  });
}
