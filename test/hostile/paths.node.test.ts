import { describe, expect, test } from "vitest";
import { createTestRegistry } from "../support/registry.ts";

// Runs in Node, since the clock of the Workers runtime stands still while code runs. 16 KiB are the longest URL
// that Cloudflare lets through. Linear work on it takes a few milliseconds, quadratic work seconds.
const length = 16_000;
const bound = 500;

const suffixes = [
  "manifests/1",
  "blobs/uploads/1",
  "blobs/uploads/",
  "tags/list",
  "_skerry/tags/1/history",
  "x",
];

describe("paths of 16 kB", () => {
  test.each([
    "a/",
    "a",
    "a-",
    "a__",
    "/",
    "manifests/",
    "a/manifests/",
    "a/blobs/uploads/",
    "a/tags/list/",
    "a/_skerry/tags/",
    "a/_oci/ext/discover/",
    "%61/",
    "..%2f",
  ])("of %j again and again are refused at once", async (unit) => {
    const client = createTestRegistry().client();
    const name = unit.repeat(length / unit.length);
    for (const suffix of suffixes) {
      for (const method of ["GET", "PUT"]) {
        const start = performance.now();
        const answer = await client.ask(`${method} /v2/${name}/${suffix}`);
        expect(performance.now() - start, suffix).toBeLessThan(bound);
        expect([400, 404, 405]).toContain(answer.status);
      }
    }
  });
});
