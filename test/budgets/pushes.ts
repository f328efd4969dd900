import { imageOf, pushImage, putManifest } from "../support/content.ts";
import { blobs, preparedImage, references } from "./content.ts";
import type { Row } from "./row.ts";

/** Pushes of manifests. */
export const pushes: readonly Row[] = [
  {
    request: `PUT manifest by tag, ${references} references`,
    budget: { A: 6, B: references + 8, kv: 1, rounds: Math.ceil((references + 2) / 6) + 7 },
    status: 201,
    async prepare(client) {
      await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "the same in a new repository",
    budget: { A: 7, B: references + 8, kv: 1, rounds: Math.ceil((references + 2) / 6) + 8 },
    status: 201,
    async prepare(client) {
      const image = await preparedImage(client);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "the same with a subject",
    budget: { A: 7, B: references + 9, kv: 1, rounds: Math.ceil((references + 3) / 6) + 8 },
    status: 201,
    async prepare(client) {
      const { digest, bytes, mediaType } = await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client, { subject: { mediaType, digest, size: bytes.byteLength } });
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: `PUT of what the tag already has, ${references} references`,
    budget: { A: 0, B: references + 6, kv: 0, rounds: Math.ceil((references + 2) / 6) + 2 },
    status: 201,
    async prepare(client) {
      const image = await preparedImage(client);
      await putManifest(client, "app", "1", image);
      return () => putManifest(client, "app", "1", image);
    },
  },
  {
    request: "PUT manifest by digest with `?tag=` x 10, 2 references",
    budget: { A: 33, B: 28, kv: 10, rounds: 22 },
    status: 201,
    async prepare(client) {
      await pushImage(client, "app", "0", "other");
      const [config, layer] = await blobs(client, "app", 2);
      if (config === undefined || layer === undefined) throw new Error("no blobs");
      const image = await imageOf(config, [layer]);
      const tags = Array.from({ length: 10 }, (_, index) => `tag=t${index}`).join("&");
      return () => putManifest(client, "app", `${image.digest}?${tags}`, image);
    },
  },
];
