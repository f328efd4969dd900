import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../scripts/build-worker.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { freePort } from "../clients/harness/free-port.ts";

/** A registry whose local bucket has an S3 endpoint, which it tells its clients of. */
export interface S3Registry extends LocalRegistry {
  /** Where the bucket `skerry` lies. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const credentials = { accessKeyId: "reader", secretAccessKey: "only for this test" };

/** The queue of the bucket's events, into which tests put what the bucket would. */
const queues = `
[[queues.producers]]
binding = "BUCKET_EVENTS"
queue = "skerry-bucket-events"

[[queues.consumers]]
queue = "skerry-bucket-events"
max_batch_size = 20
max_batch_timeout = 1
`;

/** @param folder an existing one, for configuration and state; the caller removes it. */
export async function startS3Registry(
  folder: string,
  vars: Readonly<Record<string, string>> = {},
): Promise<S3Registry> {
  const config = join(folder, "wrangler.toml");
  const toml = await readFile(join(projectRoot, "wrangler.toml"), "utf8");
  const { accessKeyId, secretAccessKey } = credentials;
  await writeFile(
    config,
    toml.replace('"src/index.ts"', JSON.stringify(join(projectRoot, "src/index.ts"))).replace(
      /^bucket_name = .*$/m,
      `$&
[r2_buckets.local_dev]
experimental_s3_credentials = { accessKeyId = "${accessKeyId}", secretAccessKey = "${secretAccessKey}" }`,
    ) + queues,
  );
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3`;
  const registry = await startLocalRegistry({
    config,
    port,
    persistTo: join(folder, "state"),
    vars: {
      S3_ENDPOINT: endpoint,
      S3_BUCKET: "skerry",
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
      ...vars,
    },
  });
  return { ...registry, endpoint, ...credentials };
}
