import type { FaultProxy } from "./fault-proxy.ts";

/** An entry of UPSTREAMS. */
export interface UpstreamEntry {
  readonly prefix: string;
  readonly url: string;
  readonly hosts?: readonly string[];
  /** Seconds. */
  readonly fresh?: number;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly library?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Whether plain HTTP is allowed. */
  readonly insecure?: boolean;
  /** Whether private addresses are allowed. */
  readonly private?: boolean;
}

/** The entry of a proxy on loopback. */
export function entryOf(
  prefix: string,
  proxy: Pick<FaultProxy, "url">,
  more: Partial<UpstreamEntry> = {},
): UpstreamEntry {
  return { prefix, url: proxy.url, insecure: true, private: true, ...more };
}

/** What a Skerry before upstreams is started with. */
export interface EdgeSetup {
  readonly upstreams: readonly UpstreamEntry[];
  /** By prefix. */
  readonly credentials?: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
  readonly vars?: Readonly<Record<string, string>>;
}

export function variablesOf({ upstreams, credentials, vars }: EdgeSetup): Readonly<Record<string, string>> {
  return {
    UPSTREAMS: JSON.stringify(upstreams),
    ...(credentials !== undefined && { UPSTREAM_CREDENTIALS: JSON.stringify(credentials) }),
    ...vars,
  };
}
