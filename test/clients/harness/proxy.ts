import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** One request that passed through the proxy, and its answer. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly range: string | undefined;
  /** Bytes of the request's body. */
  sent: number;
  status: number;
  /** Bytes of the answer's body that were passed on. */
  received: number;
}

export interface ProxyOptions {
  /** Request bodies above this many bytes are answered with 413 and a page of HTML, as Cloudflare's edge does. */
  readonly maxBody?: number;
  /** The first blob that is longer than this many bytes is cut off there, once, with its connection. */
  readonly cutBlobAt?: number;
  /** Headers that are taken off requests, in lower case. */
  readonly withoutRequestHeaders?: readonly string[];
  /** Headers that are taken off answers, in lower case. */
  readonly withoutHeaders?: readonly string[];
  /** Whether bodies of answers are compressed for clients that accept gzip, whatever Cache-Control says. */
  readonly gzip?: boolean;
  /** What every request is answered with, as HTML, instead of being passed on. */
  readonly page?: { readonly status: number; readonly html: string };
  /** Called at every request, and whenever bytes of a body are passed on. */
  readonly onProgress?: (progress: Progress) => void;
}

/** All requests together. */
export interface Progress {
  readonly requests: number;
  /** Bytes of request bodies that were passed on. */
  readonly sent: number;
  /** Bytes of the bodies of answers that were passed on. */
  readonly received: number;
}

export interface RegistryProxy {
  readonly host: string;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

const tooLarge =
  "<html><head><title>413 Request Entity Too Large</title></head><body>cloudflare</body></html>";

/** Starts a proxy on loopback that passes requests on to the registry at `target` (`host:port`). */
export async function startProxy(target: string, options: ProxyOptions = {}): Promise<RegistryProxy> {
  const exchanges: Exchange[] = [];
  let mayCut = options.cutBlobAt !== undefined;
  let sent = 0;
  let received = 0;
  const tell = () => options.onProgress?.({ requests: exchanges.length, sent, received });

  async function pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const exchange: Exchange = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      range: incoming.headers.range,
      sent: 0,
      status: 0,
      received: 0,
    };
    exchanges.push(exchange);
    tell();
    if (options.page !== undefined) {
      exchange.status = options.page.status;
      answer
        .writeHead(exchange.status, { "Content-Type": "text/html; charset=UTF-8" })
        .end(options.page.html);
      incoming.resume();
      return;
    }
    const limit = options.maxBody ?? Number.POSITIVE_INFINITY;
    if (Number(incoming.headers["content-length"] ?? 0) > limit) {
      exchange.status = refuse(incoming, answer);
      return;
    }
    const onward = request(`http://${target}${incoming.url}`, {
      method: exchange.method,
      headers: without(incoming.headers, options.withoutRequestHeaders),
    });
    answer.once("close", () => onward.destroy());
    const sending = pipeline(
      incoming,
      counter((bytes) => {
        exchange.sent += bytes;
        sent += bytes;
        tell();
        return exchange.sent > limit ? new BodyTooLarge() : undefined;
      }),
      onward,
    );
    // A registry may answer before it has read the whole body: the answer counts then, not the broken sending.
    sending.catch((error: unknown) => {
      if (error instanceof BodyTooLarge) exchange.status = refuse(incoming, answer);
    });
    const [reply] = (await once(onward, "response")) as [IncomingMessage];
    exchange.status = reply.statusCode ?? 0;
    const cut = mayCut && isLongBlob(exchange, reply, options.cutBlobAt ?? 0);
    if (cut) mayCut = false;
    const counted = counter((bytes) => {
      exchange.received += bytes;
      received += bytes;
      tell();
      return cut && exchange.received > (options.cutBlobAt ?? 0) ? new Error("cut on purpose") : undefined;
    });
    const mayCompress = incoming.headers["accept-encoding"]?.includes("gzip") && exchange.method === "GET";
    if (options.gzip && mayCompress && reply.headers["content-encoding"] === undefined) {
      answer.writeHead(exchange.status, {
        ...without(reply.headers, ["content-length"]),
        "content-encoding": "gzip",
      });
      await pipeline(reply, counted, createGzip(), answer);
    } else {
      answer.writeHead(exchange.status, rawWithout(reply.rawHeaders, options.withoutHeaders));
      await pipeline(reply, counted, answer);
    }
  }

  const server = createServer((incoming, answer) => {
    pass(incoming, answer).catch(() => {
      if (!answer.writableEnded) answer.destroy();
    });
  });
  // docker and skopeo try TLS first: a closed connection sends them to plain HTTP.
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

class BodyTooLarge extends Error {}

function without(headers: IncomingHttpHeaders, names: readonly string[] = []): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** As `without`, for names and values in turn. */
function rawWithout(headers: readonly string[], names: readonly string[] = []): string[] {
  return headers.filter((_, index) => !names.includes(headers[index - (index % 2)]?.toLowerCase() ?? ""));
}

function refuse(incoming: IncomingMessage, answer: ServerResponse): number {
  if (!answer.headersSent) {
    const length = Buffer.byteLength(tooLarge);
    answer.writeHead(413, { "Content-Type": "text/html", "Content-Length": length, Connection: "close" });
    answer.write(tooLarge);
  }
  // The connection ends with the answer: not before the client has sent what it is sending, or it would see a
  // broken pipe instead.
  incoming.once("close", () => answer.end());
  incoming.resume();
  return 413;
}

function isLongBlob(exchange: Exchange, reply: IncomingMessage, bytes: number): boolean {
  const isBlob = exchange.method === "GET" && exchange.path.includes("/blobs/");
  return isBlob && Number(reply.headers["content-length"] ?? 0) > bytes;
}

/** Passes bytes on until `count` answers an error. */
function counter(count: (bytes: number) => Error | undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const error = count(chunk.byteLength);
      if (error) done(error);
      else done(null, chunk);
    },
  });
}
