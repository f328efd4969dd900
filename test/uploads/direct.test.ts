import { describe, expect, it } from "vitest";
import { isDirect } from "../../src/storage/direct-session.ts";
import { blobOf, closeUpload, expectStatus, noise } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { expectSound, kinds, segments } from "./bucket.ts";
import {
  expectBlob,
  expectCreated,
  expectError,
  expectNoBlob,
  locationOf,
  openUpload,
  patch,
} from "./flows.ts";
import { askForParts, bodyOf, type Offer, offerOf, sendPart } from "./parts-client.ts";

const start = "/v2/app/_skerry/uploads";
const bytes = noise(1000);

/** Sends some of the parts that an answer offers. */
async function send(client: Client, offer: Offer, ...indices: readonly number[]): Promise<void> {
  for (const [index, part] of offer.parts.entries()) {
    if (indices.includes(index))
      expect((await sendPart(client, part, bodyOf(offer, part, bytes))).status).toBe(200);
  }
}

describe("the URLs of parts", () => {
  it("are signed for one object, its size and its absence, for an hour, and cost nothing but a note of the repository", async () => {
    const world = createTestRegistry();
    const answer = await askForParts(world.client(), start, [400, 600]);
    const offer = await offerOf(answer);
    expect(kinds(world)).toEqual({});
    expect(world.gate.trace.map(({ kind, keys }) => `${kind} ${keys[0]?.split("/v2/")[1]}`)).toEqual([
      "head skerry/catalog/app",
      "head skerry/gc/repositories/app",
      "put skerry/gc/repositories/app",
    ]);
    expect(isDirect(offer.preamble)).toBe(true);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("Docker-Upload-UUID")).toBe(offer.preamble);
    expect(locationOf(answer)).toContain(`/v2/app/blobs/uploads/${offer.preamble}?state=`);
    expect(Date.parse(offer.expiresAt)).toBe(world.clock.now() + 3600_000);
    expect(
      offer.parts.map(({ offset, size, method, headers }) => ({ offset, size, method, headers })),
    ).toEqual([
      { offset: 0, size: 400, method: "PUT", headers: { "Content-Length": "436", "If-None-Match": "*" } },
      { offset: 400, size: 600, method: "PUT", headers: { "Content-Length": "636", "If-None-Match": "*" } },
    ]);
    const [first] = offer.parts.map(({ url }) => new URL(url));
    expect(`${first?.origin}${first?.pathname}`).toBe(
      `https://account.r2.example/skerry/docker/registry/v2/repositories/app/_uploads/${offer.preamble}/000000000000000`,
    );
    expect(first?.searchParams.get("X-Amz-Expires")).toBe("3600");
    expect(first?.searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;host;if-none-match");
  });

  it("do not outlive the session by more than a second", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const offer = await offerOf(askForParts(client, start, [400]));
    world.clock.advance(7 * 24 * 3600_000 - 10_500);
    const more = await offerOf(askForParts(client, offer.more, [600], 400));
    expect(new URL(more.parts[0]?.url ?? "").searchParams.get("X-Amz-Expires")).toBe("11");
    world.clock.advance(11_000);
    await expectError(askForParts(client, offer.more, [600], 400), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  it.each([
    ["no sizes", { sizes: [] }],
    ["an empty part", { sizes: [0] }],
    ["half a byte", { sizes: [0.5] }],
    ["more than 100 parts", { sizes: Array.from({ length: 101 }, () => 1) }],
    ["a part that R2 does not take", { sizes: [5 * 1024 ** 3] }],
    ["a negative offset", { offset: -1, sizes: [1] }],
    ["an offset beyond every upload", { offset: 999_999_999_999_999, sizes: [1] }],
    ["something unknown", { sizes: [1], size: 1 }],
    ["nothing", undefined],
  ])("are refused for %s", async (_what, body) => {
    const headers = { "Content-Type": "application/json" };
    const client = createTestRegistry().client();
    const answer = client.ask(`POST ${start}`, { headers, body: body ? JSON.stringify(body) : null });
    await expectError(answer, 400, "UNSUPPORTED");
  });

  it("are refused without S3 credentials, and no extension announces them", async () => {
    const world = createTestRegistry();
    const without = world.client("without", { s3: undefined });
    await expectError(askForParts(without, start, [1]), 404, "UNSUPPORTED");
    const listed = async (client: Client) => (await client.ask("GET /v2/app/_oci/ext/discover")).text();
    expect(await listed(without)).not.toContain("_skerry/uploads");
    expect(await listed(world.client())).toContain("_skerry/uploads");
  });

  it("are for those who may push", async () => {
    const client = createTestRegistry().client("reader", { anonymous: "pull" });
    await expectError(askForParts(client, start, [1]), 401, "UNAUTHORIZED");
  });

  it("belong to one session of one repository", async () => {
    const client = createTestRegistry().client();
    const offer = await offerOf(askForParts(client, start, [1]));
    const unknown = [404, "BLOB_UPLOAD_UNKNOWN"] as const;
    await expectError(askForParts(client, offer.more.replace("/app/", "/other/"), [1]), ...unknown);
    await expectError(askForParts(client, offer.more.slice(0, -1), [1]), ...unknown);
    const ordinary = locationOf(await openUpload(client)).replace("blobs/uploads", "_skerry/uploads");
    await expectError(askForParts(client, ordinary, [1]), ...unknown);
  });
});

describe("a direct session", () => {
  it("goes on where parts are missing, however the client cuts what is left", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(bytes);
    const answer = await askForParts(client, start, [300, 100, 100, 100, 400]);
    const offer = await offerOf(answer);
    await send(client, offer, 0, 2, 4);
    const status = await expectStatus(client.ask(`GET ${locationOf(answer)}`), 204);
    expect(status.headers.get("Range")).toBe("0-299");
    // The part that is there already, at 400, lies within the first of these.
    const rest = await offerOf(askForParts(client, offer.more, [250, 450], 300));
    await send(client, rest, 0, 1);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
    expectSound(world);
  });

  it("that is closed before all parts are there is told where it stands, and lives on", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(bytes);
    const answer = await askForParts(client, start, [300, 300, 400]);
    const offer = await offerOf(answer);
    await send(client, offer, 0, 2);
    const refused = await expectError(closeUpload(client, answer, blob.digest), 416, "BLOB_UPLOAD_INVALID");
    expect(refused.headers.get("Range")).toBe("0-299");
    await send(client, offer, 1);
    await expectCreated(closeUpload(client, refused, blob.digest), "app", blob);
  });

  it("takes a part once", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(bytes);
    const answer = await askForParts(client, start, [1000]);
    const offer = await offerOf(answer);
    await send(client, offer, 0);
    for (const part of offer.parts) {
      expect((await sendPart(client, part, bodyOf(offer, part, noise(1000, 2)))).status).toBe(412);
    }
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
  });

  it("is over once it is cancelled: parts that come later are garbage", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const answer = await askForParts(client, start, [400, 600]);
    const offer = await offerOf(answer);
    await send(client, offer, 0);
    await expectStatus(client.ask(`DELETE ${locationOf(answer)}`), 204);
    const [first, second] = offer.parts;
    if (first === undefined || second === undefined) throw new Error("two parts expected");
    expect((await sendPart(client, first, bodyOf(offer, first, bytes))).status).toBe(412);
    expect((await sendPart(client, second, bodyOf(offer, second, bytes))).status).toBe(200);
    await expectError(client.ask(`GET ${locationOf(answer)}`), 404, "BLOB_UPLOAD_UNKNOWN");
    await expectError(askForParts(client, offer.more, [1]), 404, "BLOB_UPLOAD_UNKNOWN");
    const { digest } = await blobOf(bytes);
    await expectError(closeUpload(client, answer, digest), 404, "BLOB_UPLOAD_UNKNOWN");
    expectSound(world);
  });

  it("that is committed keeps its blob, whatever parts come later", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const blob = await blobOf(bytes);
    const answer = await askForParts(client, start, [1000]);
    const offer = await offerOf(answer);
    await send(client, offer, 0);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    await send(client, offer, 0);
    expect(segments(world)).toHaveLength(1);
    await expectCreated(closeUpload(client, answer, blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
    expect(segments(world)).toEqual([]);
  });

  it.each(["PATCH", "PUT"])("takes no %s with a body", async (method) => {
    const client = createTestRegistry().client();
    const blob = await blobOf(bytes);
    const answer = await askForParts(client, start, [1000]);
    const request =
      method === "PATCH" ? patch(client, answer, bytes) : closeUpload(client, answer, blob.digest, bytes);
    await expectError(request, 400, "BLOB_UPLOAD_INVALID");
  });

  it("of more parts than an upload may have is refused", async () => {
    const client = createTestRegistry({ config: { maxSegments: 2 } }).client();
    const answer = await askForParts(client, start, [300, 300, 400]);
    await send(client, await offerOf(answer), 0, 1, 2);
    await expectError(closeUpload(client, answer, (await blobOf(bytes)).digest), 413, "BLOB_UPLOAD_INVALID");
  });
});

describe("bytes that a part has not shown", () => {
  const secret = noise(1000, 9);

  it("are not had by an object that R2 copied to the part's key", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(secret);
    const pushed = client.ask(`POST /v2/other/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes });
    await expectStatus(pushed, 201);
    for (const parts of [[964], [500, 464]]) {
      const answer = await askForParts(client, start, parts);
      const [part] = (await offerOf(answer)).parts;
      if (part === undefined) throw new Error("a part expected");
      await sendPart(client, part, blob.bytes);
      await expectError(closeUpload(client, answer, blob.digest), 400, "BLOB_UPLOAD_INVALID");
    }
    await expectNoBlob(client, "app", blob);
  });

  it("are not had by metadata that only the Worker's segments have", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(secret);
    const pushed = client.ask(`POST /v2/other/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes });
    await expectStatus(pushed, 201);
    const answer = await askForParts(client, start, [1]);
    const offer = await offerOf(answer);
    const { bucket, layout } = client.registry.store;
    const key = [...(new URL(offer.parts[0]?.url ?? "").pathname.match(/docker\/.*/) ?? [])].join("");
    expect(layout.parse(key)?.kind).toBe("segment");
    const customMetadata = { stored: blob.digest, size: "1000" };
    await bucket.put(key, `${offer.preamble}x`, { customMetadata });
    await expectError(closeUpload(client, answer, blob.digest), 400, "DIGEST_INVALID");
    await expectNoBlob(client, "app", blob);
  });
});
