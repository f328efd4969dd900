import type { S3Bucket } from "./s3-bucket.ts";
import { isPassedOver, type TreeSource, treeName } from "./tree.ts";

/** Where an s3 URL points. */
export interface S3Location {
  readonly bucket: string;
  /** What keys begin with, without outer slashes: the S3 driver's `rootdirectory`. Often empty. */
  readonly prefix: string;
}

/** Reads `s3://BUCKET` and `s3://BUCKET/PREFIX`. @throws Error if it is anything else. */
export function parseS3Url(url: string): S3Location {
  const groups = /^s3:\/\/(?<bucket>[A-Za-z0-9._-]+)(?:\/+(?<prefix>.*?)\/*)?$/.exec(url)?.groups;
  if (groups?.bucket === undefined) throw new Error(`${url}: s3://BUCKET or s3://BUCKET/PREFIX expected`);
  return { bucket: groups.bucket, prefix: groups.prefix ?? "" };
}

/** The tree below a prefix of a bucket that speaks S3, as distribution's S3 driver keeps it. */
export function s3Source(bucket: S3Bucket, { bucket: name, prefix }: S3Location): TreeSource {
  const root = prefix === "" ? "" : `${prefix}/`;
  return {
    name: `s3://${name}/${prefix}`,
    has: async (folder) => {
      for await (const _ of bucket.list(root + folder)) return true;
      return false;
    },
    files: async function* (folder) {
      for await (const { key, size } of bucket.list(root + folder)) {
        const name = key.slice(root.length);
        if (isPassedOver(name)) continue;
        yield {
          ...treeName(name),
          size: async () => size,
          body: () => bucket.read(key),
        };
      }
    },
  };
}
