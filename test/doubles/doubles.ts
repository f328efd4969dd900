import { CacheDouble } from "./cache.ts";
import { VirtualClock } from "./clock.ts";
import { Gate } from "./gate.ts";
import { KvDouble } from "./kv.ts";
import type { KvOptions } from "./kv-store.ts";
import { R2Double } from "./r2.ts";
import type { R2Options } from "./r2-store.ts";

export interface DoublesOptions {
  readonly r2?: Partial<R2Options>;
  readonly kv?: Partial<KvOptions>;
  /** By default a clock on which sleeps end at once. */
  readonly clock?: VirtualClock;
}

/** An empty bucket, namespace and data centre's cache behind one gate, on one clock. */
export interface Doubles {
  readonly gate: Gate;
  readonly clock: VirtualClock;
  readonly r2: R2Double;
  readonly kv: KvDouble;
  readonly cache: CacheDouble;
}

export function createDoubles(options: DoublesOptions = {}): Doubles {
  const gate = new Gate();
  const clock = options.clock ?? new VirtualClock({ automatic: true });
  return {
    gate,
    clock,
    r2: new R2Double(gate, { clock, ...options.r2 }),
    kv: new KvDouble(gate, { clock, ...options.kv }),
    cache: new CacheDouble(gate, { clock }),
  };
}
