import { provideFixedLengthStream } from "../support/fixed-length-stream.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import type { Origin } from "./origin.ts";

/** Skerry in this process, over doubles. */
export interface SkerryOrigin {
  readonly answer: Origin;
  /** Pushes into it, without credentials. */
  readonly client: Client;
}

/** An empty Skerry that is open to everybody, or behind what these variables say. */
export function skerryOrigin(client: Client = createTestRegistry().client("upstream")): SkerryOrigin {
  provideFixedLengthStream();
  return {
    client,
    answer: ({ method, url, headers, body }) => client.fetch(`${method} ${url}`, { headers, body }),
  };
}
