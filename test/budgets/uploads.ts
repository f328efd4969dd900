import { blobOf, closeUpload, expectStatus, noise, pushBlob, pushImage } from "../support/content.ts";
import type { Client } from "../support/registry.ts";
import { askForParts, bodyOf, offerOf, sendPart } from "../uploads/parts-client.ts";
import { blobs } from "./content.ts";
import type { Row } from "./row.ts";

const mebibyte = 1024 * 1024;
const large = noise(2 * mebibyte);

async function upload(client: Client): Promise<Response> {
  return expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
}

/** An upload to a repository that has an image. */
async function furtherUpload(client: Client): Promise<Response> {
  await pushImage(client, "app", "first", "first");
  return upload(client);
}

async function patched(client: Client, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  const started = await upload(client);
  return expectStatus(client.ask(`PATCH ${started.headers.get("Location")}`, { body: bytes }), 202);
}

/** Uploads and mounts. */
export const uploads: readonly Row[] = [
  {
    request: "POST upload",
    budget: { A: 0, B: 0, kv: 0, rounds: 0 },
    status: 202,
    prepare: async (client) => () => client.ask("POST /v2/app/blobs/uploads/"),
  },
  {
    request: "PUT blob after POST",
    budget: { A: 3, B: 4, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const started = await upload(client);
      const blob = await blobOf(large);
      return () => closeUpload(client, started, blob.digest, blob.bytes);
    },
  },
  {
    request: "PUT blob after POST, content stored already (small)",
    budget: { A: 2, B: 4, kv: 0, rounds: 5 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf("shared");
      await pushBlob(client, "other", blob);
      const started = await upload(client);
      return () => closeUpload(client, started, blob.digest, blob.bytes);
    },
  },
  {
    request: "POST upload with `digest` and the blob",
    budget: { A: 3, B: 3, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf(large);
      return () => client.ask(`POST /v2/app/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes });
    },
  },
  {
    request: "PATCH, known length",
    budget: { A: 1, B: 1, kv: 0, rounds: 2 },
    status: 202,
    async prepare(client) {
      const started = await furtherUpload(client);
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body: large });
    },
  },
  {
    request: "PATCH, whole small blob (the shortcut)",
    budget: { A: 2, B: 2, kv: 0, rounds: 4 },
    status: 202,
    async prepare(client) {
      const started = await furtherUpload(client);
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body: noise(1000) });
    },
  },
  {
    request: "closing PUT after one PATCH",
    budget: { A: 3, B: 4, kv: 0, rounds: 7 },
    status: 201,
    async prepare(client) {
      const answer = await patched(client, large);
      const { digest } = await blobOf(large);
      return () => closeUpload(client, answer, digest);
    },
  },
  {
    request: "closing PUT after the shortcut",
    budget: { A: 2, B: 4, kv: 0, rounds: 5 },
    status: 201,
    async prepare(client) {
      const blob = await blobOf(noise(1000));
      const answer = await patched(client, blob.bytes);
      return () => closeUpload(client, answer, blob.digest);
    },
  },
  {
    request: "GET upload status",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 204,
    async prepare(client) {
      const answer = await patched(client, large);
      return () => client.ask(`GET ${answer.headers.get("Location")}`);
    },
  },
  {
    request: "POST for the URLs of 3 parts",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      await pushImage(client, "app", "first", "first");
      return () => askForParts(client, "/v2/app/_skerry/uploads", [1, 2, 3]);
    },
  },
  {
    request: "closing PUT after 2 parts straight to the bucket",
    budget: { A: 4, B: 6, kv: 0, rounds: 9 },
    status: 201,
    async prepare(client) {
      const { bytes, digest } = await blobOf(large);
      const answer = await askForParts(client, "/v2/app/_skerry/uploads", [mebibyte, mebibyte]);
      const offer = await offerOf(answer);
      for (const part of offer.parts) await sendPart(client, part, bodyOf(offer, part, bytes));
      return () => closeUpload(client, answer, digest);
    },
  },
  {
    request: "mount with `from`",
    budget: { A: 2, B: 4, kv: 0, rounds: 4 },
    status: 201,
    async prepare(client) {
      const [blob] = await blobs(client, "other", 1);
      return () => client.ask(`POST /v2/app/blobs/uploads/?mount=${blob?.digest}&from=other`);
    },
  },
  {
    request: "mount without `from`",
    budget: { A: 3, B: 5, kv: 0, rounds: 6 },
    status: 201,
    async prepare(client) {
      const [blob] = await blobs(client, "other", 1);
      return () => client.ask(`POST /v2/app/blobs/uploads/?mount=${blob?.digest}`);
    },
  },
  {
    request: "PATCH of unknown length, 20 MiB",
    budget: { A: 3, B: 1, kv: 0, rounds: 4 },
    status: 202,
    async prepare(client) {
      const started = await furtherUpload(client);
      const body = new Blob([noise(20 * mebibyte)]).stream();
      return () => client.ask(`PATCH ${started.headers.get("Location")}`, { body });
    },
  },
  {
    request: "closing PUT after it",
    budget: { A: 3, B: 6, kv: 0, rounds: 9 },
    status: 201,
    async prepare(client) {
      const started = await upload(client);
      const blob = await blobOf(noise(20 * mebibyte));
      const patch = client.ask(`PATCH ${started.headers.get("Location")}`, {
        body: new Blob([blob.bytes]).stream(),
      });
      const answer = await expectStatus(patch, 202);
      return () => closeUpload(client, answer, blob.digest);
    },
  },
];
