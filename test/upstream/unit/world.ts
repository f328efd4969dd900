import { readConfig } from "../../../src/config.ts";
import type { Platform } from "../../../src/registry.ts";
import type { Clock, Fetch } from "../../../src/storage/ports.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../../support/registry.ts";

export const upstreamOrigin = "https://upstream.example";

/** A request that reached the network. */
export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly signal: AbortSignal | undefined;
}

/** Answers a request in the place of the network; undefined leaves it to the registry behind `upstreamOrigin`. */
export type Network = (sent: Sent) => Response | Promise<Response> | undefined;

export interface World {
  /** The registry under test, which mirrors the other one below `up`. */
  readonly edge: TestRegistry;
  readonly client: Client;
  /** What there is at `upstreamOrigin`: a registry too. */
  readonly origin: Client;
  /** What was sent there and elsewhere, in order. */
  readonly sent: Sent[];
  /** `GET /v2/…` for each request that was sent. */
  readonly asked: () => readonly string[];
  /** What answers instead of the upstream from now on. */
  answer(network: Network | undefined): void;
  /** Another isolate of the registry under test. */
  isolate(): Client;
}

export interface WorldOptions {
  readonly upstream?: Readonly<Record<string, unknown>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly origin?: Client;
  /** Of the registry under test; by default one on which sleeps end at once. */
  readonly clock?: Clock;
  readonly platform?: Partial<Platform>;
}

/** A registry that pulls through from another, both in this process, with the network between them in the test's hand. */
export function createWorld(options: WorldOptions = {}): World {
  const origin = options.origin ?? createTestRegistry().client("origin");
  const sent: Sent[] = [];
  let network: Network | undefined;
  const fetch: Fetch = async (text, init) => {
    const url = new URL(text);
    const request: Sent = {
      method: init.method ?? "GET",
      url,
      headers: new Headers(init.headers as HeadersInit),
      signal: init.signal ?? undefined,
    };
    sent.push(request);
    const answer = network?.(request);
    if (answer !== undefined) return answer;
    if (url.origin !== upstreamOrigin) throw new TypeError(`nobody listens at ${url.host}`);
    return origin.ask(`${request.method} ${url.href}`, { headers: request.headers });
  };
  const config = readConfig({
    ANONYMOUS: "all",
    UPSTREAMS: JSON.stringify([{ prefix: "up", url: upstreamOrigin, ...options.upstream }]),
    ...options.variables,
  });
  const edge = createTestRegistry({
    config,
    platform: { fetch, ...options.platform, ...(options.clock && { clock: options.clock }) },
  });
  return {
    edge,
    client: edge.client("edge"),
    origin,
    sent,
    asked: () => sent.map(({ method, url }) => `${method} ${url.pathname}${url.search}`),
    answer: (next) => {
      network = next;
    },
    isolate: () => edge.client("another isolate"),
  };
}

/** The registry behind the upstream, for whom a network in the test's hand has let in. */
export function letIn({ origin }: World, { method, url }: Sent): Promise<Response> {
  return origin.ask(`${method} ${url.href}`);
}

/** The keys that the registry under test has in its bucket. */
export async function keysOf({ edge }: World): Promise<readonly string[]> {
  return (await edge.r2.actor("onlooker").list()).objects.map(({ key }) => key);
}

/** The codes of an error's envelope. */
export async function codesOf(response: Response): Promise<readonly string[]> {
  const { errors } = await response.json<{ errors: readonly { readonly code: string }[] }>();
  return errors.map(({ code }) => code);
}
