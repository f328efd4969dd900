import { DOMParser, type Document, onErrorStopParsing } from "@xmldom/xmldom";
import { AwsClient } from "aws4fetch";

export interface S3Options {
  /** Where buckets are paths; AWS's host for the region unless given. */
  readonly endpoint: string | undefined;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only temporary credentials have one. */
  readonly sessionToken: string | undefined;
  readonly region: string;
  /** Keys of a page of a list: 1 to 1,000, which is what S3 gives unless told otherwise. */
  readonly pageSize?: number;
}

/** An object as a list names it. */
export interface S3Object {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Reads a bucket by S3's API, Signature Version 4, path style. Answers 429 and 5xx are asked again, ten times,
 * at growing distances.
 */
export class S3Bucket {
  readonly #client: AwsClient;
  readonly #url: string;
  readonly #pageSize: number;

  constructor({ endpoint, bucket, region, pageSize = 1000, ...credentials }: S3Options) {
    const origin = endpoint ?? `https://s3.${region}.amazonaws.com`;
    this.#url = `${origin.replace(/\/+$/, "")}/${bucket}`;
    this.#pageSize = pageSize;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      region,
      service: "s3",
    });
  }

  /** Every object whose key begins with the prefix, in pages of ListObjectsV2. @throws Error with S3's answer. */
  async *list(prefix: string): AsyncGenerator<S3Object> {
    let token: string | undefined;
    do {
      const query = new URLSearchParams({ "list-type": "2", prefix, "max-keys": String(this.#pageSize) });
      if (token !== undefined) query.set("continuation-token", token);
      const page = parseXml(await (await this.#get(`?${query}`)).text());
      for (const contents of page.getElementsByTagName("Contents")) {
        yield { key: textOf(contents, "Key"), size: Number(textOf(contents, "Size")) };
      }
      const isTruncated = textOf(page, "IsTruncated") === "true";
      token = isTruncated ? textOf(page, "NextContinuationToken") : undefined;
    } while (token !== undefined);
  }

  /** The bytes of an object as they arrive. @throws Error with S3's answer. */
  async *read(key: string): AsyncGenerator<Uint8Array> {
    const { body } = await this.#get(`/${key.split("/").map(encodeURIComponent).join("/")}`);
    if (body !== null) yield* body;
  }

  async #get(rest: string): Promise<Response> {
    const url = this.#url + rest;
    const response = await this.#client.fetch(url).catch((error: unknown) => {
      throw new Error(`GET ${url}: no answer`, { cause: error });
    });
    if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${reasonOf(await response.text())}`);
    return response;
  }
}

function parseXml(text: string): Document {
  return new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, "text/xml");
}

/** @throws Error unless there is exactly one such element. */
function textOf(parent: Pick<Document, "getElementsByTagName">, name: string): string {
  const [element, ...others] = parent.getElementsByTagName(name);
  if (element === undefined || others.length > 0) throw new Error(`an answer of S3 without one ${name}`);
  return element.textContent ?? "";
}

/** Code and message of S3's error document, or the body where it is none. */
function reasonOf(body: string): string {
  try {
    const document = parseXml(body);
    return `${textOf(document, "Code")}: ${textOf(document, "Message")}`;
  } catch {
    return body;
  }
}
