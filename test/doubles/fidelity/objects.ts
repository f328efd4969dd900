import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Value } from "../r2-value.ts";
import { etagOfHello, hello, md5, type Open, range, read, shown } from "./bucket.ts";

/** Put, head and get without options; checksums; delete. */
export function objects(open: Open): void {
  describe("put, head, get", () => {
    it("keeps bytes, metadata and checksums", async () => {
      const put = await open().put("a", "hello", {
        customMetadata: { Kind: "x" },
        httpMetadata: { contentType: "text/plain", cacheControl: "no-store" },
        sha256: createHash("sha256").update("hello").digest("hex").toUpperCase(),
      });
      const head = await open().head("a");
      const get = await open().get("a");
      expect(shown(head)).toEqual({
        key: "a",
        size: 5,
        etag: etagOfHello,
        httpEtag: `"${etagOfHello}"`,
        storageClass: "",
        customMetadata: { Kind: "x" },
        httpMetadata: { contentType: "text/plain", cacheControl: "no-store" },
        checksums: { md5: etagOfHello, sha256: createHash("sha256").update("hello").digest("hex") },
        hasBody: false,
      });
      expect(shown(put)).toEqual(shown(head));
      expect(shown(get)).toEqual({ ...shown(head), hasBody: true });
      expect([put?.range, range(head), range(get)]).toEqual([
        undefined,
        { offset: 0, length: 5 },
        { offset: 0, length: 5 },
      ]);
      expect(head?.version).toBe(put?.version);
      expect(head?.uploaded.getTime()).toBe(put?.uploaded.getTime());
      expect(new Uint8Array(head?.checksums.md5 ?? new ArrayBuffer(0))).toEqual(
        new Uint8Array(createHash("md5").update("hello").digest()),
      );
      const headers = new Headers();
      get?.writeHttpMetadata(headers);
      expect([...headers]).toEqual([
        ["cache-control", "no-store"],
        ["content-type", "text/plain"],
      ]);
      expect(await get?.text()).toBe("hello");
    });

    it("gives a new version to the same bytes, and the same etag", async () => {
      const first = await open().put("a", "hello");
      const second = await open().put("a", "hello", { customMetadata: { other: "yes" } });
      expect(second?.etag).toBe(first?.etag);
      expect(second?.version).not.toBe(first?.version);
    });

    it.each([
      ["string", () => "hello"],
      ["ArrayBuffer", () => hello.slice().buffer],
      ["view", () => new Uint8Array([0, ...hello, 0]).subarray(1, 6)],
      ["Blob", () => new Blob(["hel", "lo"])],
      ["body of a response", (): ReadableStream | null => new Response("hello").body],
    ] as readonly (readonly [string, () => Value])[])("takes a %s", async (_name, make) => {
      await open().put("a", make());
      expect(await read(await open().get("a"))).toBe("hello");
    });

    it("takes null for nothing", async () => {
      expect(shown(await open().put("a", null))).toMatchObject({ size: 0, etag: md5("") });
    });

    it("takes a stream that is still being written", async () => {
      const { readable, writable } = new FixedLengthStream(5);
      const writer = writable.getWriter();
      const put = open().put("a", readable);
      await writer.write(hello.subarray(0, 2));
      await writer.write(hello.subarray(2));
      await writer.close();
      expect((await put)?.etag).toBe(etagOfHello);
    });

    it("stores nothing of a stream that breaks", async () => {
      const { readable, writable } = new FixedLengthStream(5);
      const writer = writable.getWriter();
      const outcome = Promise.allSettled([open().put("a", readable)]);
      await writer.write(hello.subarray(0, 2));
      await writer.abort(new Error("cut")).catch(() => undefined);
      expect((await outcome)[0].status).toBe("rejected");
      expect(await open().head("a")).toBeNull();
    });

    it("copies from a body to another key", async () => {
      await open().put("a", "hello");
      const { body } = (await open().get("a")) as R2ObjectBody;
      await open().put("b", body, { md5: etagOfHello });
      expect(await read(await open().get("b"))).toBe("hello");
    });

    it.each(["text", "arrayBuffer", "bytes", "blob", "json"] as const)(
      "reads a body once, as %s",
      async (as) => {
        await open().put("a", "7");
        const object = (await open().get("a")) as R2ObjectBody;
        expect(object.bodyUsed).toBe(false);
        await object[as]();
        expect(object.bodyUsed).toBe(true);
        await expect(object[as]()).rejects.toThrow(TypeError);
      },
    );

    it("reads a body once, as a stream", async () => {
      await open().put("a", "hello");
      const object = (await open().get("a")) as R2ObjectBody;
      const { body } = object;
      expect([object.body === body, object.bodyUsed]).toEqual([true, false]);
      expect(await new Response(body).text()).toBe("hello");
      expect(object.bodyUsed).toBe(true);
      await expect(object.text()).rejects.toThrow(TypeError);
    });

    it("does not keep a buffer that its owner changes later", async () => {
      const buffer = hello.slice();
      const put = open().put("a", buffer);
      buffer.fill(0);
      await put;
      expect(await read(await open().get("a"))).toBe("hello");
    });

    it("answers null for a missing key", async () => {
      expect([await open().head("no"), await open().get("no")]).toEqual([null, null]);
    });
  });

  describe("checksums", () => {
    it.each(["md5", "sha1", "sha256", "sha384", "sha512"] as const)("verifies %s", async (name) => {
      const right = createHash(name).update("hello").digest();
      await open().put("a", "hello", { [name]: new Uint8Array(right) });
      expect(shown(await open().head("a"))?.checksums).toMatchObject({ [name]: right.toString("hex") });
      const wrong = "0".repeat(right.byteLength * 2);
      await expect(open().put("b", "hello", { [name]: wrong })).rejects.toThrow(
        new RegExp(`^put: The \\S+ checksum .* did not match[^]*${right.toString("hex")} \\(10037\\)$`),
      );
      expect(await open().head("b")).toBeNull();
    });

    it("looks at the checksum before the condition", async () => {
      await open().put("a", "hello");
      const put = open().put("a", "x", { md5: "0".repeat(32), onlyIf: { etagDoesNotMatch: "*" } });
      await expect(put).rejects.toThrow(/\(10037\)$/);
    });

    it.each([
      ["two at once", { md5: "0".repeat(32), sha256: "0".repeat(64) }],
      ["a short one", { sha256: "00" }],
      ["no hex", { sha256: "z".repeat(64) }],
    ])("refuses %s", async (_name, options) => {
      await expect(open().put("a", "x", options)).rejects.toThrow(TypeError);
    });
  });

  describe("delete", () => {
    it("removes one key, several, and none", async () => {
      for (const key of ["a", "b", "c", "d"]) await open().put(key, "");
      await open().delete("a");
      await open().delete(["b", "c", "missing"]);
      await open().delete([]);
      await open().delete("missing");
      expect((await open().list()).objects.map((object) => object.key)).toEqual(["d"]);
    });
  });
}
