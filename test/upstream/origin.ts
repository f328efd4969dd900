import { type Client, createTestRegistry } from "../support/registry.ts";

/** A registry behind a fault proxy: what it answers to a request. */
export type Origin = (request: Request) => Promise<Response>;

/** A registry that answers at `host:port`, over plain HTTP. */
export function remoteOrigin(host: string): Origin {
  return (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    return fetch(`http://${host}${pathname}${search}`, { method, headers, redirect: "manual" });
  };
}

/** Skerry in this process, over doubles. */
export interface SkerryOrigin {
  readonly answer: Origin;
  /** Pushes into it, without credentials. */
  readonly client: Client;
}

/** An empty Skerry that is open to everybody, or behind what these variables say. */
export function skerryOrigin(client: Client = createTestRegistry().client("upstream")): SkerryOrigin {
  return {
    client,
    answer: ({ method, url, headers, body }) => client.fetch(`${method} ${url}`, { headers, body }),
  };
}
