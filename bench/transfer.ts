import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";

const mebibyte = 1024 * 1024;

/** A body that is generated while it is sent: one random mebibyte, repeated. */
export interface GeneratedBody {
  /** Bytes. */
  readonly size: number;
  /** The pieces in order, each at most a mebibyte; the first `seed` bytes make it differ from other bodies. */
  pieces(): Generator<Buffer>;
}

/** A body of `size` bytes, the same for the same seed. It is never in memory as a whole. */
export function generatedBody(size: number, seed: string): GeneratedBody {
  const piece = Buffer.alloc(mebibyte);
  for (let index = 0, state = 1; index < piece.length; index += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    piece.writeUInt32LE(state, index);
  }
  const head = Buffer.from(piece);
  head.write(seed);
  return {
    size,
    *pieces() {
      for (let sent = 0; sent < size; sent += mebibyte) {
        yield (sent === 0 ? head : piece).subarray(0, Math.min(mebibyte, size - sent));
      }
    },
  };
}

/** The sha256 digest of a body. */
export function digestOf(body: GeneratedBody): string {
  const hash = createHash("sha256");
  for (const piece of body.pieces()) hash.update(piece);
  return `sha256:${hash.digest("hex")}`;
}

export interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
  /** Seconds. */
  readonly retryAfter: number;
}

export const agent = new Agent({ keepAlive: true });

/**
 * Sends a request and reads the whole answer.
 * @param framing whether the body's length is announced, or the body comes in chunks of no announced total.
 */
export async function send(
  method: string,
  url: string,
  body?: GeneratedBody,
  framing: "length" | "chunked" = "length",
): Promise<Answer> {
  const headers: Record<string, string | number> = { "Content-Type": "application/octet-stream" };
  if (framing === "chunked") headers["Transfer-Encoding"] = "chunked";
  else headers["Content-Length"] = body?.size ?? 0;
  const outgoing = request(url, { method, headers, agent });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  let isAnswered = false;
  const answer = answered.finally(() => {
    isAnswered = true;
  });
  // Once there is an answer, or none will come, it does not matter that the rest cannot be sent.
  outgoing.on("error", () => {});
  for (const piece of body?.pieces() ?? []) {
    // A refusal may come before the body is sent.
    if (isAnswered) break;
    if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), answer]);
  }
  outgoing.end();
  const [incoming] = await answer;
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return {
    status: incoming.statusCode ?? 0,
    location: incoming.headers.location ?? "",
    text: Buffer.concat(parts).toString(),
    retryAfter: Number(incoming.headers["retry-after"] ?? 0),
  };
}

/** Whether the connection ended before the answer came. */
export function isCut(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EPIPE" || code === "ECONNRESET";
}

/** As `send`, for an answer that must have that status. */
export async function expectSent(status: number, ...args: Parameters<typeof send>): Promise<Answer> {
  const answer = await send(...args);
  if (answer.status !== status) throw new Error(`${args[0]} ${args[1]}: ${answer.status} ${answer.text}`);
  return answer;
}

/** Opens an upload session: where it goes on. */
export async function open(origin: string): Promise<string> {
  return (await expectSent(202, "POST", `${origin}/v2/bench/blobs/uploads/`)).location;
}
