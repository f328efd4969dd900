import { describe, expect, it } from "vitest";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { expectSound, segments } from "./bucket.ts";
import { chunked, expectBlob, expectCreated, expectError, openUpload, patch } from "./flows.ts";

const first = noise(1_500_000, 1);
const last = noise(700_000, 2);
const whole = new Uint8Array([...first, ...last]);

describe("a closing PUT whose answer was lost is repeated", () => {
  it.each([
    ["without a body after a small chunk", noise(1000), undefined],
    ["without a body after a large chunk", first, undefined],
    ["with the last chunk", first, last],
    ["with the whole blob", undefined, whole],
    ["with a small blob", undefined, noise(1000)],
  ])("%s: 201 again", async (_, chunk, body) => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(new Uint8Array([...(chunk ?? []), ...(body ?? [])]));
    const started = await openUpload(client);
    const answer = chunk === undefined ? started : await patch(client, started, chunk);
    for (let time = 0; time < 3; time++) {
      await expectCreated(closeUpload(client, answer, blob.digest, body), "app", blob);
      expect(segments(world)).toEqual([]);
    }
    await expectBlob(client, "app", blob);
    expectSound(world);
  });

  it("before the segments were removed: 201 again, and they go", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(whole);
    const answer = await patch(client, await openUpload(client), first);
    world.gate.policy = faults([{ when: "before", matching: ({ kind }) => kind === "delete" }]);
    await expectCreated(closeUpload(client, answer, blob.digest, last), "app", blob);
    expect(segments(world)).toHaveLength(2);
    world.gate.policy = immediate;
    await expectCreated(closeUpload(client, answer, blob.digest, last), "app", blob);
    expect(segments(world)).toEqual([]);
    await expectBlob(client, "app", blob);
  });
});

describe("a closing PUT that failed after its body was stored is repeated", () => {
  it.each([
    ["the last chunk, of known length", last, () => last],
    ["the whole blob, larger than one put", whole, () => whole],
  ])("with %s", async (_, rest, body) => {
    const world = createTestRegistry({ config: { singlePutLimit: 2_000_000, uploadBufferSize: 1_000_000 } });
    const client = world.client();
    const blob = await blobOf(whole);
    const started = await openUpload(client);
    const answer = rest === whole ? started : await patch(client, started, first);
    world.gate.policy = faults([
      { when: "before", times: 1, matching: ({ kind, keys }) => kind === "put" && /_layers/.test(`${keys}`) },
    ]);
    await expectError(closeUpload(client, answer, blob.digest, body()), 500, "UNKNOWN");
    world.gate.policy = immediate;
    await expectCreated(closeUpload(client, answer, blob.digest, body()), "app", blob);
    await expectBlob(client, "app", blob);
    expect(segments(world)).toEqual([]);
  });

  it("with a body of unknown length: 416 says that it is there, and a PUT without a body closes", async () => {
    const world = createTestRegistry({ config: { uploadBufferSize: 1_000_000 } });
    const client = world.client();
    const blob = await blobOf(whole);
    const started = await openUpload(client);
    world.gate.policy = faults([
      { when: "before", times: 1, matching: ({ keys }) => /_layers/.test(`${keys}`) },
    ]);
    const failed = closeUpload(client, started, blob.digest, chunked(whole));
    await expectError(failed, 500, "UNKNOWN");
    world.gate.policy = immediate;
    const again = closeUpload(client, started, blob.digest, chunked(whole));
    const refused = await expectError(again, 416, "BLOB_UPLOAD_INVALID");
    expect(refused.headers.get("Range")).toBe(`0-${whole.byteLength - 1}`);
    await expectCreated(closeUpload(client, refused, blob.digest), "app", blob);
  });

  it("with a last chunk of that length that is another one: 416, and the session goes on", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(whole);
    const answer = await patch(client, await openUpload(client), first);
    const full = await expectStatus(patch(client, answer, last), 202);
    const other = await blobOf(new Uint8Array([...first, ...noise(last.byteLength, 3)]));
    const wrong = closeUpload(client, answer, other.digest, noise(last.byteLength, 3));
    await expectError(wrong, 416, "BLOB_UPLOAD_INVALID");
    await expectCreated(closeUpload(client, full, blob.digest), "app", blob);
  });
});
