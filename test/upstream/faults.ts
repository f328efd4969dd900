import { setTimeout as pause } from "node:timers/promises";
import type { Exchange, Fault, OriginAnswer, SeenRequest } from "./fault-proxy.ts";

/** The kinds of requests that a fault may be limited to. */
const kinds = {
  manifests: /\/manifests\//,
  blobs: /\/blobs\//,
  tokens: /^\/token\b/,
} as const;

/** The fault for requests of that kind, and no fault for others. */
export function onlyFor(kind: keyof typeof kinds, fault: Fault): Fault {
  return (exchange) => (kinds[kind].test(exchange.request.path) ? fault(exchange) : exchange.pass());
}

/** Whether a request has another method than this. */
export function unless(method: string, fault: Fault): Fault {
  return (exchange) => (exchange.request.method === method ? exchange.pass() : fault(exchange));
}

/** Never answers. */
export const hangs: Fault = () => undefined;

/** Asks the origin that many milliseconds late. */
export function delays(milliseconds: number): Fault {
  return async ({ pass }) => {
    await pause(milliseconds);
    await pass();
  };
}

/** Answers with that status, without asking the origin. */
export function answers(status: number, headers: Readonly<Record<string, string>> = {}): Fault {
  const body = JSON.stringify({ errors: [{ code: "UNKNOWN", message: "answered by the proxy" }] });
  return ({ request, outgoing }) => {
    const length = Buffer.byteLength(body);
    outgoing.writeHead(status, { "Content-Type": "application/json", "Content-Length": length, ...headers });
    outgoing.end(request.method === "HEAD" ? undefined : body);
  };
}

/** Redirects to that address, or to what it makes of the request. */
export function redirects(to: string | ((request: SeenRequest) => string), status = 307): Fault {
  return ({ request, outgoing }) => {
    const location = typeof to === "string" ? to : to(request);
    outgoing.writeHead(status, { Location: location, "Content-Length": 0 }).end();
  };
}

/** One byte of the body is another. */
export const flips: Fault = changesBody((body) => {
  const changed = Buffer.from(body);
  const middle = changed.length >> 1;
  changed[middle] = (changed[middle] ?? 0) ^ 1;
  return changed;
});

/** The last byte of the body is missing, and Content-Length agrees with what is left. */
export const shortens: Fault = changesBody((body) => body.subarray(0, -1));

/** The body has a byte more, and so has Content-Length. */
export const lengthens: Fault = changesBody((body) => Buffer.concat([body, Buffer.from("\n")]));

/** A manifest that is a manifest, but not the one that its digest header says. */
export const substitutes: Fault = changesBody((body) => {
  const manifest = JSON.parse(body.toString()) as object;
  return Buffer.from(JSON.stringify({ ...manifest, annotations: { by: "somebody else" } }));
});

/** The connection ends in the middle of a body whose whole length was announced. */
export const cuts: Fault = async ({ request, outgoing, ask }) => {
  const answer = await ask();
  writeHead(outgoing, answer, lengthOf(answer));
  if (request.method === "HEAD") {
    outgoing.end();
    return;
  }
  await write(outgoing, answer.body.subarray(0, answer.body.length >> 1));
  outgoing.destroy();
};

/** The first half of the body arrives, and then nothing more. */
export const stalls: Fault = async ({ request, outgoing, ask }) => {
  const answer = await ask();
  writeHead(outgoing, answer, lengthOf(answer));
  if (request.method === "HEAD") outgoing.end();
  else await write(outgoing, answer.body.subarray(0, answer.body.length >> 1));
};

/** The body arrives in `pieces` pieces with a pause of that many milliseconds before each. */
export function trickles(pieces: number, milliseconds: number): Fault {
  return async ({ outgoing, ask }) => {
    const answer = await ask();
    writeHead(outgoing, answer, lengthOf(answer));
    const size = Math.ceil(answer.body.length / pieces);
    for (let at = 0; at < answer.body.length && !outgoing.destroyed; at += size) {
      await pause(milliseconds);
      await write(outgoing, answer.body.subarray(at, at + size));
    }
    outgoing.end();
  };
}

/** The body comes in chunks of no announced total. */
export const chunks: Fault = async ({ request, outgoing, ask }) => {
  const answer = await ask();
  writeHead(outgoing, answer);
  if (request.method !== "HEAD") outgoing.write(answer.body);
  outgoing.end();
};

/** The answer lacks that header. */
export function lacks(header: string): Fault {
  return async ({ outgoing, ask }) => {
    const answer = await ask();
    const { [header.toLowerCase()]: _, ...headers } = answer.headers;
    writeHead(outgoing, { ...answer, headers }, lengthOf(answer));
    outgoing.end(answer.body);
  };
}

/** The answer has these headers besides, or instead of its own. */
export function claims(more: Readonly<Record<string, string>>): Fault {
  return async ({ outgoing, ask }) => {
    const answer = await ask();
    writeHead(outgoing, { ...answer, headers: { ...answer.headers, ...more } }, lengthOf(answer));
    outgoing.end(answer.body);
  };
}

function changesBody(change: (body: Buffer) => Buffer): Fault {
  return async ({ request, outgoing, ask }: Exchange) => {
    const answer = await ask();
    const body = answer.status === 200 && request.method === "GET" ? change(answer.body) : answer.body;
    writeHead(outgoing, answer, request.method === "HEAD" ? lengthOf(answer) : body.length);
    outgoing.end(body);
  };
}

function writeHead(outgoing: Exchange["outgoing"], answer: OriginAnswer, length?: number): void {
  const framed = length === undefined ? {} : { "Content-Length": length };
  outgoing.writeHead(answer.status, { ...answer.headers, ...framed });
}

/** What the origin announced: the length of a HEAD's body too, which does not come. */
function lengthOf({ announced, body }: OriginAnswer): number {
  return announced ?? body.length;
}

/** Waits until the bytes have gone out, or cannot. */
function write(outgoing: Exchange["outgoing"], bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => outgoing.write(bytes, () => resolve()));
}
