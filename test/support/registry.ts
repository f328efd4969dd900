import { createApp } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { createRegistry, type Platform, type Registry } from "../../src/registry.ts";
import { createDoubles, type Doubles, type DoublesOptions } from "../doubles/doubles.ts";

/** A request as a test writes it. */
export interface Ask {
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
}

/** One client of a registry under test. Every client has an isolate of its own. */
export interface Client {
  readonly registry: Registry;
  /** Sends a request, as `GET /v2/`; a path or an absolute URL. Work that outlives the answer goes on. */
  fetch(request: string, ask?: Ask): Promise<Response>;
  /** As fetch, and waits for the work that outlives the answer. */
  ask(request: string, ask?: Ask): Promise<Response>;
}

/** Whoever can send requests: a client of a test registry, or of one behind a socket. */
export type Asker = Pick<Client, "ask">;

export interface TestRegistry extends Doubles {
  /** A client, and isolate, under a name by which the gate tells its operations. */
  client(actor?: string, overrides?: Partial<Config>): Client;
}

export const origin = "https://registry.example";

export interface TestRegistryOptions extends DoublesOptions {
  readonly config?: Partial<Config>;
  readonly platform?: Partial<Platform>;
  /** Whether clients are served by one data centre with a cache, instead of none. */
  readonly edgeCache?: boolean;
  /** Called with every answer, before the work that outlives it is waited for. */
  readonly onAnswer?: () => void;
}

/** A registry over empty doubles, open to everybody. */
export function createTestRegistry(options: TestRegistryOptions = {}): TestRegistry {
  const doubles = createDoubles(options);
  return {
    ...doubles,
    client: (actor = "client", overrides) =>
      createClient(
        {
          bucket: doubles.r2.actor(actor),
          kv: doubles.kv.actor(actor),
          cache: options.edgeCache ? doubles.cache.actor(actor) : undefined,
          clock: doubles.clock,
          ...options.platform,
        },
        { ...options.config, ...overrides },
        options.onAnswer,
      ),
  };
}

const variables = {
  ANONYMOUS: "all",
  S3_ENDPOINT: "https://account.r2.example",
  S3_BUCKET: "skerry",
  S3_ACCESS_KEY_ID: "access key",
  S3_SECRET_ACCESS_KEY: "secret access key",
};

/** A client of a registry over any platform. */
export function createClient(
  platform: Platform,
  overrides: Partial<Config> = {},
  onAnswer: () => void = () => undefined,
): Client {
  const config = { ...readConfig(variables), uploadKey: "a key for tests alone", ...overrides };
  const registry = createRegistry(config, platform);
  const app = createApp(registry);
  const send = async (request: string, ask: Ask, deferred: Promise<unknown>[]) => {
    const [method = "GET", url = "/"] = request.split(" ");
    const init: RequestInit = { method, headers: framed(ask), body: ask.body ?? null };
    const context = {
      waitUntil: (work: Promise<unknown>) => void deferred.push(work),
      passThroughOnException: () => undefined,
      props: {},
    } as unknown as ExecutionContext;
    return app.fetch(new Request(new URL(url, origin), init), {}, context);
  };
  return {
    registry,
    fetch: (request, ask = {}) => send(request, ask, []),
    async ask(request, ask = {}) {
      const deferred: Promise<unknown>[] = [];
      const response = await send(request, ask, deferred);
      onAnswer();
      await Promise.all(deferred);
      return response;
    },
  };
}

/** The same client, who sends this `Authorization` with every request that has none. */
export function authorized(client: Client, authorization: string): Client {
  const withHeader = (ask: Ask = {}): Ask => {
    const headers = new Headers(ask.headers);
    if (!headers.has("Authorization")) headers.set("Authorization", authorization);
    return { ...ask, headers };
  };
  return {
    registry: client.registry,
    fetch: (request, ask) => client.fetch(request, withHeader(ask)),
    ask: (request, ask) => client.ask(request, withHeader(ask)),
  };
}

/** The headers with the length of the body, which a socket would tell: none for a stream, as for a chunked body. */
function framed({ headers, body }: Ask): Headers {
  const all = new Headers(headers);
  if (all.has("Content-Length")) return all;
  if (body instanceof Uint8Array) all.set("Content-Length", String(body.byteLength));
  if (typeof body === "string") all.set("Content-Length", String(new TextEncoder().encode(body).byteLength));
  return all;
}
