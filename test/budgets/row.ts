import type { Config } from "../../src/config.ts";
import type { Client, TestRegistry } from "../support/registry.ts";

/** What a request may cost at most: R2 operations of class A and B, those of KV and cache, serial rounds. */
export interface Budget {
  readonly A: number;
  readonly B: number;
  readonly kv: number;
  /** 0 unless given. */
  readonly cache?: number;
  readonly rounds: number;
}

/** One row of the table: a request in a world prepared for it. */
export interface Row {
  readonly request: string;
  readonly budget: Budget;
  /** Gives the request whose operations count. */
  prepare(client: Client, world: TestRegistry): Promise<() => Promise<Response>>;
  readonly status: number;
  readonly config?: Partial<Config>;
}
