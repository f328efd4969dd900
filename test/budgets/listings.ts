import { pushImage, putManifest } from "../support/content.ts";
import { preparedImage } from "./content.ts";
import type { Row } from "./row.ts";

/** Lists. */
export const listings: readonly Row[] = [
  {
    request: "tags/list, 100 tags on a page",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      for (const tag of ["1", "2"]) await pushImage(client, "app", tag, tag);
      return () => client.ask("GET /v2/app/tags/list");
    },
  },
  {
    request: "dated tags, 100 on a page",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      for (const tag of ["1", "2"]) await pushImage(client, "app", tag, tag);
      return () => client.ask("GET /v2/app/_skerry/tags");
    },
  },
  {
    request: "_catalog",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("GET /v2/_catalog");
    },
  },
  {
    request: "referrers",
    budget: { A: 1, B: 0, kv: 0, rounds: 1 },
    status: 200,
    async prepare(client) {
      const { digest, bytes, mediaType } = await pushImage(client, "app", "0", "other");
      const image = await preparedImage(client, { subject: { mediaType, digest, size: bytes.byteLength } });
      await putManifest(client, "app", image.digest, image);
      return () => client.ask(`GET /v2/app/referrers/${digest}`);
    },
  },
];
