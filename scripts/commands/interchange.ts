import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Store } from "../../src/storage/store.ts";
import { exportTree } from "../interchange/export.ts";
import { folderSource } from "../interchange/folder-source.ts";
import { importTree } from "../interchange/import.ts";
import { type Outcome, summary } from "../interchange/outcome.ts";
import { S3Bucket } from "../interchange/s3-bucket.ts";
import { parseS3Url, s3Source } from "../interchange/s3-source.ts";
import type { TreeSource } from "../interchange/tree.ts";
import type { Command } from "./command.ts";
import { type StoreOptions, storeOptions, storeUsage, withStore } from "./local-store.ts";
import { Progress } from "./progress.ts";

type Copy = (store: Store, show: (outcome: Outcome) => void) => Promise<Outcome>;

/** Copies, and fails if something was left out. */
async function run(options: StoreOptions, copy: Copy): Promise<void> {
  const progress = new Progress();
  const outcome = await withStore(options, (store) => copy(store, (sofar) => progress.show(summary(sofar))));
  progress.end();
  for (const note of outcome.notes) console.log(note);
  console.log(summary(outcome));
  if (outcome.notes.length > 0) process.exitCode = 2;
}

function onlyOne(positionals: readonly string[], what: string): string {
  const [only, ...others] = positionals;
  if (only === undefined || others.length > 0) throw new Error(`one ${what} expected`);
  return only;
}

/** @throws Error if the credentials of an s3 URL are not set. */
function sourceOf(place: string, endpoint: string | undefined): TreeSource {
  if (!place.startsWith("s3://")) {
    if (endpoint !== undefined) throw new Error("--endpoint is for s3 URLs");
    return folderSource(resolve(place));
  }
  const location = parseS3Url(place);
  const { AWS_SESSION_TOKEN, AWS_REGION } = process.env;
  const bucket = new S3Bucket({
    endpoint,
    bucket: location.bucket,
    accessKeyId: required("AWS_ACCESS_KEY_ID"),
    secretAccessKey: required("AWS_SECRET_ACCESS_KEY"),
    sessionToken: AWS_SESSION_TOKEN,
    region: AWS_REGION ?? "us-east-1",
  });
  return s3Source(bucket, location);
}

function required(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === "") throw new Error(`${variable} is not set`);
  return value;
}

export const importCommand: Command = {
  usage: `import FOLDER|S3URL         Copy distribution's storage tree (docker/registry/v2 below FOLDER or s3://BUCKET/PREFIX)
                            into the bucket, which is to be adopted then; may be repeated. Exit status 2 if
                            something was left out. For S3 set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for
                            temporary ones, AWS_SESSION_TOKEN; AWS_REGION (us-east-1)
    --endpoint URL          where buckets are paths, if not at AWS: https://ACCOUNT.r2.cloudflarestorage.com
${storeUsage}`,
  run: async (args) => {
    const options = { ...storeOptions, endpoint: { type: "string" } } as const;
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const source = sourceOf(onlyOne(positionals, "folder or s3 URL"), values.endpoint);
    await run(values, (store, show) => importTree(store, source, show));
  },
};

export const exportCommand: Command = {
  usage: `export FOLDER               Copy the bucket into a storage tree that distribution serves; options of the bucket as import`,
  run: async (args) => {
    const options = storeOptions;
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const folder = resolve(onlyOne(positionals, "folder"));
    await run(values, (store, show) => exportTree(store, folder, show));
  },
};
