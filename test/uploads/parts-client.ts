import { closeUpload, expectStatus, type TestBlob } from "../support/content.ts";
import type { Client } from "../support/registry.ts";

/** A part as an answer offers it. */
export interface OfferedPart {
  readonly offset: number;
  readonly size: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the registry answers to a request for the URLs of parts. */
export interface Offer {
  readonly preamble: string;
  readonly parts: readonly OfferedPart[];
  readonly more: string;
  readonly expiresAt: string;
}

/** Asks for URLs of parts, at the beginning of a direct session or at an `more` URL. */
export function askForParts(
  client: Client,
  url: string,
  sizes: readonly number[],
  offset = 0,
): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return client.ask(`POST ${url}`, { headers, body: JSON.stringify({ offset, sizes }) });
}

export async function offerOf(answer: Response | Promise<Response>): Promise<Offer> {
  return (await expectStatus(Promise.resolve(answer), 200)).clone().json();
}

/** The body of a part: the session's id, and the bytes of the blob that belong there. */
export function bodyOf({ preamble }: Offer, part: OfferedPart, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const content = bytes.subarray(part.offset, part.offset + part.size);
  const body = new Uint8Array(preamble.length + content.byteLength);
  body.set(new TextEncoder().encode(preamble));
  body.set(content, preamble.length);
  return body;
}

/** What R2 does at the URL of a part, in a bucket that has no S3 endpoint: it creates the object, or answers 412. */
export async function sendPart(
  client: Client,
  { url }: OfferedPart,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const [, , ...key] = new URL(url).pathname.split("/").map(decodeURIComponent);
  const onlyIf = { etagDoesNotMatch: "*" };
  try {
    const object = await client.registry.store.bucket.put(key.join("/"), body, { onlyIf });
    return new Response(null, { status: object === null ? 412 : 200 });
  } catch {
    return new Response(null, { status: 500 });
  }
}

/**
 * Pushes a blob by parts of at most `size` bytes, the last one first. A part that fails is sent once more, and may
 * then be there already.
 */
export async function pushInParts(
  client: Client,
  name: string,
  { bytes, digest }: TestBlob,
  size: number,
): Promise<Response> {
  const sizes: number[] = [];
  for (let left = bytes.byteLength; left > 0; left -= size) sizes.push(Math.min(left, size));
  const answer = await askForParts(client, `/v2/${name}/_skerry/uploads`, sizes.length === 0 ? [1] : sizes);
  if (!answer.ok) return answer;
  const offer = await offerOf(answer);
  for (const part of bytes.byteLength === 0 ? [] : offer.parts.toReversed()) {
    const body = bodyOf(offer, part, bytes);
    if (!(await sendPart(client, part, body)).ok) await sendPart(client, part, body);
  }
  return closeUpload(client, answer, digest);
}
