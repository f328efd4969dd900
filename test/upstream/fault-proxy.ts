import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Origin } from "./origin.ts";

/** A request that reached the proxy. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the origin answered, read to its end. */
export interface OriginAnswer {
  readonly status: number;
  /** Without those that frame the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Its Content-Length, if it had one. */
  readonly announced: number | undefined;
}

/** One request, and the means to answer it. */
export interface Exchange {
  readonly request: SeenRequest;
  readonly outgoing: ServerResponse;
  /** Asks the origin. */
  ask(): Promise<OriginAnswer>;
  /** Asks the origin and passes on what it answers, as it comes. */
  pass(): Promise<void>;
}

/** What the proxy does with a request. The connection is closed if it throws. */
export type Fault = (exchange: Exchange) => void | Promise<void>;

/** The fault of a proxy that has none. */
export const honest: Fault = ({ pass }) => pass();

/** A registry on loopback that can be made to fail in any way. */
export interface FaultProxy {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** What is done with requests from now on; `honest` at first. */
  fault: Fault;
  /** Every request since the start, or since `forget`. */
  readonly seen: readonly SeenRequest[];
  forget(): void;
  /** Cuts all connections and refuses new ones. */
  kill(): Promise<void>;
  /** Listens again, on the same port. */
  revive(): Promise<void>;
  /** Requests that are not answered yet. */
  readonly pending: number;
}

const framing = new Set(["connection", "content-length", "keep-alive", "transfer-encoding"]);

/** Starts a proxy before a registry. `kill` ends it. */
export async function startFaultProxy(origin: Origin): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  let pending = 0;
  let url = "";
  const server = createServer((incoming, outgoing) => {
    const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers };
    seen.push(request);
    pending++;
    outgoing.once("close", () => {
      pending--;
    });
    const answer = async () => origin(await toRequest(url, incoming));
    const exchange: Exchange = {
      request,
      outgoing,
      ask: async () => read(await answer()),
      pass: async () => passOn(await answer(), outgoing),
    };
    Promise.resolve(proxy.fault(exchange)).catch(() => outgoing.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  url = `http://127.0.0.1:${port}`;
  const proxy: FaultProxy = {
    url,
    port,
    fault: honest,
    seen,
    forget: () => void seen.splice(0),
    async kill() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    revive: async () => void (await listen(port)),
    get pending() {
      return pending;
    },
  };
  return proxy;
}

async function toRequest(url: string, incoming: IncomingMessage): Promise<Request> {
  const method = incoming.method ?? "";
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (!framing.has(name) && name !== "host") headers.set(name, String(value));
  }
  const body = method === "GET" || method === "HEAD" ? null : await buffer(incoming);
  return new Request(new URL(incoming.url ?? "", url), { method, headers, body });
}

async function read(answer: Response): Promise<OriginAnswer> {
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !framing.has(name)));
  const length = answer.headers.get("Content-Length");
  return {
    status: answer.status,
    headers,
    body: Buffer.from(await answer.arrayBuffer()),
    announced: length === null ? undefined : Number(length),
  };
}

async function passOn(answer: Response, outgoing: ServerResponse): Promise<void> {
  const hopByHop = (name: string) => framing.has(name) && name !== "content-length";
  const headers = [...answer.headers].filter(([name]) => !hopByHop(name));
  outgoing.writeHead(answer.status, Object.fromEntries(headers));
  if (answer.body === null) outgoing.end();
  else await pipeline(answer.body, outgoing);
}
