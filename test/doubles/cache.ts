import type { Clock, ResponseCache } from "../../src/storage/ports.ts";
import type { Effect, Gate } from "./gate.ts";
import type { Kind } from "./operation.ts";

interface Copy {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Unix time in milliseconds. */
  readonly expiration: number;
}

/** The cache of one data centre in memory. Its operations pass the gate; `actor()` gives it to one isolate. */
export class CacheDouble {
  readonly copies = new Map<string, Copy>();
  readonly #gate: Gate;
  readonly #clock: Clock;

  constructor(gate: Gate, options: { readonly clock: Clock }) {
    this.#gate = gate;
    this.#clock = options.clock;
  }

  /** The cache with every operation attributed to `name`. */
  actor(name: string): ResponseCache {
    const pass = <T>(kind: Kind, key: string, effect: Effect<T> | Promise<Effect<T>>) =>
      this.#gate.pass({ store: "cache", kind, keys: [key], actor: name, conditional: false }, effect);
    return {
      match: (request) => {
        const key = keyOf(request);
        return pass("get", key, () => this.#read(key));
      },
      put: async (request, response) => {
        const key = keyOf(request);
        refuseUncacheable(response);
        const stored = response.arrayBuffer().then((body) => () => this.#write(key, response, body));
        await pass("put", key, stored);
      },
      delete: (request) => {
        const key = keyOf(request);
        return pass("delete", key, () => this.copies.delete(key));
      },
    };
  }

  #read(key: string): Response | undefined {
    const copy = this.copies.get(key);
    if (copy === undefined || copy.expiration <= this.#clock.now()) return undefined;
    const headers = new Headers(copy.headers.map(([name, value]) => [name, value]));
    headers.set("CF-Cache-Status", "HIT");
    headers.set("Content-Length", String(copy.bytes.byteLength));
    return new Response(copy.bytes.slice(), { status: copy.status, headers });
  }

  /** As the platform, keeps only what says for how long. */
  #write(key: string, { status, headers }: Response, body: ArrayBuffer): void {
    const seconds = /(?:^|[\s,])max-age=(\d+)/.exec(headers.get("Cache-Control") ?? "")?.[1];
    if (seconds === undefined || headers.has("Set-Cookie")) return;
    const expiration = this.#clock.now() + Number(seconds) * 1000;
    this.copies.set(key, { status, headers: [...headers], bytes: new Uint8Array(body), expiration });
  }
}

function keyOf(request: RequestInfo | URL): string {
  if (!(request instanceof Request)) return new URL(request).href;
  if (request.method !== "GET") throw new TypeError("Cannot cache response to non-GET request.");
  return request.url;
}

function refuseUncacheable(response: Response): void {
  if (response.status === 206) {
    throw new TypeError("Cannot cache response to a range request (206 Partial Content).");
  }
  if (response.headers.get("Vary") === "*") {
    throw new TypeError("Cannot cache response with 'Vary: *' header.");
  }
}
