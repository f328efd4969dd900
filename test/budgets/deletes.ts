import { pushImage, putManifest } from "../support/content.ts";
import { blobs } from "./content.ts";
import type { Row } from "./row.ts";

/** Deletes. */
export const deletes: readonly Row[] = [
  {
    request: "DELETE manifest by tag",
    budget: { A: 1, B: 2, kv: 1, rounds: 4 },
    status: 202,
    async prepare(client) {
      await pushImage(client, "app", "1", "a");
      return () => client.ask("DELETE /v2/app/manifests/1");
    },
  },
  ...[0, 1, 10].map(
    (k): Row => ({
      request: `DELETE manifest by digest, ${k} tags ever on it`,
      budget: { A: 2 + k, B: 2 * k + 2, kv: k, cache: 1, rounds: 5 + 5 * Math.ceil(k / 6) },
      status: 202,
      async prepare(client) {
        const image = await pushImage(client, "app", undefined, "a");
        for (let index = 0; index < k; index++) await putManifest(client, "app", `t${index}`, image);
        return () => client.ask(`DELETE /v2/app/manifests/${image.digest}`);
      },
    }),
  ),
  {
    request: "DELETE blob",
    budget: { A: 1, B: 1, kv: 0, cache: 1, rounds: 3 },
    status: 202,
    async prepare(client) {
      const [blob] = await blobs(client, "app", 1);
      return () => client.ask(`DELETE /v2/app/blobs/${blob?.digest}`);
    },
  },
];
