import { createHash } from "node:crypto";

/** What the simulator and the double have in common. */
export type AnyBucket = Omit<R2Bucket, "resumeMultipartUpload">;

/** Gives the bucket of the test that runs. */
export type Open = () => AnyBucket;

export const hello = new TextEncoder().encode("hello");
export const etagOfHello = md5("hello");

export function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** What an object looks like from outside, without what differs from store to store (version, time). */
export function shown(object: R2Object | null) {
  if (object === null) return null;
  const { key, size, etag, httpEtag, storageClass, customMetadata, httpMetadata } = object;
  const fields = Object.fromEntries(
    Object.entries(httpMetadata ?? {}).filter(([, value]) => value !== undefined),
  );
  return {
    key,
    size,
    etag,
    httpEtag,
    storageClass,
    customMetadata,
    httpMetadata: fields,
    checksums: JSON.parse(JSON.stringify(object.checksums)) as unknown,
    hasBody: "body" in object,
  };
}

export function range(object: R2Object | null) {
  const { offset, length } = (object?.range ?? {}) as { readonly offset?: number; readonly length?: number };
  return { offset, length };
}

export async function read(object: R2ObjectBody | R2Object | null): Promise<string | undefined> {
  return object !== null && "body" in object ? (object as R2ObjectBody).text() : undefined;
}
