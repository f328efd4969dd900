import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../clients/harness/free-port.ts";
import type { Background } from "../clients/harness/processes.ts";
import type { S3Storage } from "./distribution.ts";
import type { World } from "./world.ts";

const wrangler = join(import.meta.dirname, "..", "..", "node_modules/wrangler/bin/wrangler.js");
const accessKeyId = "interchange";
const secretAccessKey = "nobody else can reach it";

/** The S3 endpoint that wrangler gives to the local bucket in which Skerry keeps everything. */
export async function startS3Endpoint(world: World): Promise<Background & { readonly storage: S3Storage }> {
  const dir = join(world.dir, "s3-endpoint");
  await mkdir(dir);
  await writeFile(join(dir, "worker.js"), "export default { fetch: () => new Response() };");
  await writeFile(
    join(dir, "wrangler.toml"),
    `name = "s3-endpoint"
main = "worker.js"
compatibility_date = "2026-10-20"
[[r2_buckets]]
binding = "BUCKET"
bucket_name = "skerry"
[r2_buckets.local_dev]
experimental_s3_credentials = { accessKeyId = "${accessKeyId}", secretAccessKey = "${secretAccessKey}" }
`,
  );
  const port = await freePort();
  const options = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--persist-to", world.state];
  const background = await world.processes.start([process.execPath, wrangler, ...options], {
    cwd: dir,
    env: { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" },
    ready: (output) => output.includes(`Ready on http://127.0.0.1:${port}`),
  });
  const storage = {
    regionendpoint: `http://127.0.0.1:${port}/cdn-cgi/local/r2/s3`,
    bucket: "skerry",
    accesskey: accessKeyId,
    secretkey: secretAccessKey,
    region: "auto",
    secure: false,
  };
  return { ...background, storage };
}
