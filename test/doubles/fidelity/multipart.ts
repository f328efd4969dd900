import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Open, read, shown } from "./bucket.ts";

/** Multipart uploads. */
export function multipartUploads(open: Open): void {
  describe("multipart uploads", () => {
    const five = new Uint8Array(5 * 1024 * 1024).fill(7);

    it("makes an object of equal parts and a smaller last one", async () => {
      const upload = await open().createMultipartUpload("a", {
        customMetadata: { k: "v" },
        httpMetadata: { contentType: "x/y" },
      });
      expect(upload.key).toBe("a");
      const last = await upload.uploadPart(2, "end");
      await upload.uploadPart(1, "replaced");
      const first = await upload.uploadPart(1, five);
      expect(await open().head("a")).toBeNull();
      const object = await upload.complete([first, last]);
      const binary = [five, "end"].map((part) => createHash("md5").update(part).digest());
      expect(shown(object)).toMatchObject({
        size: five.byteLength + 3,
        etag: `${createHash("md5").update(Buffer.concat(binary)).digest("hex")}-2`,
        checksums: {},
        customMetadata: { k: "v" },
        httpMetadata: { contentType: "x/y" },
      });
      expect(await (await open().get("a", { range: { suffix: 4 } }))?.text()).toBe("\u0007end");
    });

    it("overwrites whatever the key holds by then", async () => {
      const upload = await open().createMultipartUpload("a");
      const part = await upload.uploadPart(1, "late");
      await open().put("a", "early");
      await upload.complete([part]);
      expect(await read(await open().get("a"))).toBe("late");
    });

    const failures: readonly (readonly [string, string, (upload: R2MultipartUpload) => Promise<unknown>])[] =
      [
        ["a small part", "(10011)", (upload) => completeSizes(upload, ["x", "y"])],
        ["unequal parts", "(10048)", (upload) => completeSizes(upload, [five, [...five, 1], "x"])],
        ["a last part that is larger", "(10048)", (upload) => completeSizes(upload, [five, [...five, 1]])],
        ["a part that is not there", "(10025)", (upload) => upload.complete([{ partNumber: 1, etag: "no" }])],
        [
          "a part named twice",
          "(10001)",
          async (upload) => {
            const part = await upload.uploadPart(1, "x");
            return upload.complete([part, part]);
          },
        ],
        [
          "a part after the end",
          "uploadPart: The specified multipart upload does not exist. (10024)",
          async (upload) => {
            await upload.complete([]);
            return upload.uploadPart(1, "x");
          },
        ],
        [
          "an end after an abort",
          "completeMultipartUpload: The specified multipart upload does not exist. (10024)",
          async (upload) => {
            await upload.abort();
            await upload.abort();
            return upload.complete([]);
          },
        ],
        ["part number 0", "Part number must be between 1 and 10000", (upload) => upload.uploadPart(0, "x")],
      ];

    it.each(failures)("refuses %s", async (_name, message, run) => {
      await expect(run(await open().createMultipartUpload("a"))).rejects.toThrow(message);
    });
  });
}

async function completeSizes(
  upload: R2MultipartUpload,
  parts: readonly (string | Uint8Array | readonly number[])[],
): Promise<R2Object> {
  const done: R2UploadedPart[] = [];
  for (const [index, part] of parts.entries()) {
    const value = typeof part === "string" || part instanceof Uint8Array ? part : new Uint8Array(part);
    done.push(await upload.uploadPart(index + 1, value));
  }
  return upload.complete(done);
}
