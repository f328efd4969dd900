import { describe, expect, it } from "vitest";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { chunked, expectBlob, expectCreated, expectError, locationOf, openUpload, patch } from "./flows.ts";

describe("MAX_SEGMENTS", () => {
  it("refuses a chunk beyond it with 413, whether the URL tells the segments or not", async () => {
    const client = createTestRegistry({ config: { maxSegments: 45 } }).client();
    const sizes = Array.from({ length: 45 }, (_, index) => index + 1);
    const blob = await blobOf(noise(sizes.reduce((sum, size) => sum + size, 0)));
    let answer = await openUpload(client);
    let sent = 0;
    for (const size of sizes) {
      answer = await expectStatus(patch(client, answer, blob.bytes.slice(sent, sent + size)), 202);
      sent += size;
    }
    await expectError(patch(client, answer, noise(1)), 413, "BLOB_UPLOAD_INVALID");
    await expectError(closeUpload(client, answer, blob.digest, noise(1)), 413, "BLOB_UPLOAD_INVALID");
    const status = await expectStatus(client.ask(`GET ${locationOf(answer)}`), 204);
    await expectError(patch(client, status, noise(1)), 413, "BLOB_UPLOAD_INVALID");
    await expectCreated(closeUpload(client, status, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
  });

  it("refuses the rest of a body of unknown length, and keeps what it took", async () => {
    const client = createTestRegistry({ config: { maxSegments: 3, uploadBufferSize: 1000 } }).client();
    const blob = await blobOf(noise(3000));
    const started = await openUpload(client);
    await expectError(patch(client, started, chunked(noise(3001), 500)), 413, "BLOB_UPLOAD_INVALID");
    const status = await expectStatus(client.ask(`GET ${locationOf(started)}`), 204);
    expect(status.headers.get("Range")).toBe("0-2999");
    await expectCreated(closeUpload(client, status, blob.digest), "app", blob);
  });

  it("takes a body of unknown length that just fits", async () => {
    const client = createTestRegistry({ config: { maxSegments: 3, uploadBufferSize: 1000 } }).client();
    const blob = await blobOf(noise(3000));
    const answer = await expectStatus(patch(client, await openUpload(client), chunked(blob.bytes, 700)), 202);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
  });
});

describe("chunk lengths that are announced", () => {
  it("are those of the configuration", async () => {
    const client = createTestRegistry({ config: { chunkMinLength: 7, chunkMaxLength: 11 } }).client();
    const answer = await openUpload(client);
    expect(answer.headers.get("OCI-Chunk-Min-Length")).toBe("7");
    expect(answer.headers.get("OCI-Chunk-Max-Length")).toBe("11");
  });

  it("are advice: shorter and longer chunks are taken", async () => {
    const client = createTestRegistry({ config: { chunkMinLength: 100, chunkMaxLength: 200 } }).client();
    const blob = await blobOf(noise(1100));
    const first = await patch(client, await openUpload(client), blob.bytes.slice(0, 1));
    const second = await patch(client, first, blob.bytes.slice(1, 1000));
    await expectCreated(closeUpload(client, second, blob.digest, blob.bytes.slice(1000)), "app", blob);
  });
});
