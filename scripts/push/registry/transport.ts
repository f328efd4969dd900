import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connectionFailure } from "./failure.ts";
import { isLoopback } from "./reference.ts";

/** A request body of known length, which can be read again for another attempt. */
export interface Body {
  /** Bytes. */
  readonly length: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  /** Milliseconds without a byte in either direction after which the connection is given up; two minutes. */
  readonly patience?: number | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer<ArrayBuffer>;
}

export interface StreamedAnswer extends Omit<Answer, "body"> {
  readonly body: IncomingMessage;
}

/** More than any manifest has; an answer beyond it is cut off there. */
const maxAnswer = 16 * 1024 * 1024;
const defaultPatience = 120_000;

const agentOptions = { keepAlive: true };
const loopbackAgent = new HttpAgent(agentOptions);
// HTTPS_PROXY and NO_PROXY count from Node 24.5 on; before, the option is not known.
const httpAgent = new HttpAgent({ ...agentOptions, proxyEnv: process.env });
const httpsAgent = new HttpsAgent({ ...agentOptions, proxyEnv: process.env });

/**
 * Sends a request and reads the whole answer, which may come before the body was sent: sending ends then, if the
 * answer is a refusal.
 * @throws RegistryFailure for a connection that failed; what reading the body threw.
 */
export async function send(request: HttpRequest): Promise<Answer> {
  const outgoing = start(request);
  const answered = answerOf(request, outgoing);
  const sent = sendBody(request, outgoing);
  const answer = await Promise.race([answered, sent.then(() => answered)]);
  const status = answer.statusCode ?? 0;
  if (status < 400) await sent;
  else sent.catch(() => {});
  const body = await readAnswer(request, answer);
  if (!outgoing.writableFinished) outgoing.destroy();
  return { status, headers: answer.headers, body };
}

/**
 * Sends a request without a body, and gives the answer before its body was read.
 * @throws RegistryFailure for a connection that failed; the body throws Node's errors.
 */
export async function openAnswer(request: Omit<HttpRequest, "body">): Promise<StreamedAnswer> {
  const outgoing = start(request);
  const answered = answerOf(request, outgoing);
  outgoing.end();
  const body = await answered;
  return { status: body.statusCode ?? 0, headers: body.headers, body };
}

/** Reads what is left of an answer, up to 16 MiB. @throws RegistryFailure if it breaks off. */
export async function readAnswer(
  { method, url }: Pick<HttpRequest, "method" | "url">,
  answer: IncomingMessage,
): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer) {
      pieces.push(piece);
      length += piece.length;
      if (length > maxAnswer) break;
    }
  } catch (error) {
    throw connectionFailure(method, url, error);
  }
  return Buffer.concat(pieces);
}

function start({ method, url, headers, body, patience = defaultPatience }: HttpRequest): ClientRequest {
  const isTls = url.protocol === "https:";
  const outgoing = (isTls ? httpsRequest : httpRequest)(url.href, {
    method,
    headers: {
      ...headers,
      ...(method !== "GET" && method !== "HEAD" && { "Content-Length": String(body?.length ?? 0) }),
    },
    agent: isTls ? httpsAgent : isLoopback(url.host) ? loopbackAgent : httpAgent,
  });
  outgoing.setTimeout(patience, () => {
    outgoing.destroy(new Error(`nothing came for ${Math.round(patience / 1000)} seconds`));
  });
  return outgoing;
}

function answerOf({ method, url }: HttpRequest, outgoing: ClientRequest): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.on("error", (error) => reject(connectionFailure(method, url, error)));
    outgoing.once("close", () =>
      reject(connectionFailure(method, url, new Error("the connection was closed"))),
    );
  });
  // Whoever waits for it is told; where reading the body fails first, nobody waits.
  answered.catch(() => {});
  return answered;
}

async function sendBody({ method, url, body }: HttpRequest, outgoing: ClientRequest): Promise<void> {
  if (body === undefined) {
    outgoing.end();
    return;
  }
  let failure: { readonly reason: unknown } | undefined;
  async function* watched(source: Body) {
    try {
      yield* exactly(source);
    } catch (reason) {
      failure = { reason };
      throw reason;
    }
  }
  try {
    await pipeline(Readable.from(watched(body)), outgoing);
  } catch (error) {
    if (failure !== undefined) throw failure.reason;
    throw connectionFailure(method, url, error);
  }
}

/** Fails for a source that has more or fewer bytes than it says: the request could not be ended otherwise. */
async function* exactly(source: Body): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of source.open()) {
    length += piece.length;
    if (length > source.length) break;
    yield piece;
  }
  if (length !== source.length)
    throw new Error(`the source has ${length} bytes where it said ${source.length}`);
}
