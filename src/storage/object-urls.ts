import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "./ports.ts";

/** How the bucket is reached by S3's API. */
export interface S3Access {
  /** Scheme, host and perhaps a path, without a slash at the end; buckets are paths below it. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request that a URL was signed for: it is refused with other headers. */
export interface SignedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs URLs at which clients reach objects without the Worker (AWS Signature Version 4, in the query). */
export class ObjectUrls {
  readonly #access: S3Access;
  readonly #clock: Clock;
  /** Signing keys, one a day. */
  readonly #keys = new Map<string, ArrayBuffer>();

  constructor(access: S3Access, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** A URL to GET an object. @param seconds how long it is good for: 1 second to 7 days. */
  async get(key: string, seconds: number): Promise<string> {
    return (await this.#sign("GET", key, seconds, {})).url;
  }

  /**
   * A request that creates an object of exactly `size` bytes, and is refused with 412 where there is one.
   * @param seconds as for `get`.
   */
  create(key: string, size: number, seconds: number): Promise<SignedRequest> {
    return this.#sign("PUT", key, seconds, { "Content-Length": String(size), "If-None-Match": "*" });
  }

  async #sign(
    method: string,
    key: string,
    seconds: number,
    headers: Record<string, string>,
  ): Promise<SignedRequest> {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = this.#access;
    const path = [bucket, ...key.split("/")].map(encodeURIComponent).join("/");
    const signer = new AwsV4Signer({
      method,
      url: `${endpoint}/${path}?X-Amz-Expires=${seconds}`,
      headers,
      accessKeyId,
      secretAccessKey,
      service: "s3",
      region: "auto",
      cache: this.#keys,
      datetime: new Date(this.#clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      signQuery: true,
      // Content-Length among them, which is not signed otherwise.
      allHeaders: true,
    });
    return { url: (await signer.sign()).url.href, headers };
  }
}
