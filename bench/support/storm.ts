import { costOf } from "./budgets.ts";

const mebibyte = 1024 * 1024;

/** A pull storm: nodes that pull one image, right after its tag moved, so that nobody has copies of it. */
export interface Storm {
  readonly nodes: number;
  /** The nodes begin evenly within so many seconds. */
  readonly seconds: number;
  /** Data centres among which the nodes are spread evenly. */
  readonly dataCentres: number;
  /** Bytes of each layer. */
  readonly layers: readonly number[];
  /** Bytes of the largest blob that a data centre copies; 0 for no copies. */
  readonly blobMax: number;
}

export interface Outcome {
  readonly requests: number;
  /** R2 reads, in all and in the busiest second. */
  readonly reads: number;
  readonly peak: number;
  /** Bytes that came from R2. */
  readonly bytes: number;
  /** Seconds from a node's beginning to its last byte: the slowest. */
  readonly slowest: number;
}

/** What is assumed: seconds, and bytes a second. */
export const assumed = {
  /** Until R2 answers. */
  r2: 0.06,
  /** Until the cache of the data centre answers. */
  cache: 0.004,
  /** What one read of R2 brings. */
  r2Rate: 100 * mebibyte,
  /** What a node takes in. */
  nodeRate: 125e6,
  /** Layers that a node pulls at once, as containerd. */
  atOnce: 3,
} as const;

/**
 * Plays a storm: each node asks HEAD by tag, GET by digest, then the configuration and the layers. The first in a
 * data centre makes the copy; whoever asks before it is there costs as much as the first.
 */
export function play(storm: Storm): Outcome {
  const costs = {
    tag: costOf("HEAD manifest by tag").B,
    manifest: costOf("GET manifest by digest").B,
    blob: costOf("GET blob").B,
    largeBlob: costOf("GET blob above `CACHE_BLOB_MAX`").B,
  };
  const copies = new Map<string, number>();
  const perSecond: number[] = [];
  let [requests, reads, bytes, slowest] = [0, 0, 0, 0];

  /** One GET of content at a time. @returns when its first byte is there. */
  const get = (place: number, what: string, at: number, size: number, cold: number): number => {
    const key = `${place} ${what}`;
    const copied = size <= storm.blobMax;
    requests++;
    if (copied && (copies.get(key) ?? Number.POSITIVE_INFINITY) <= at) return at + assumed.cache;
    const cost = copied ? cold : costs.largeBlob;
    reads += cost;
    bytes += copied ? 2 * size : size;
    perSecond[Math.floor(at)] = (perSecond[Math.floor(at)] ?? 0) + cost;
    const begins = at + assumed.cache + assumed.r2;
    // The copy: a read of its own, and a look at the link once it is there.
    const ready = begins + 2 * assumed.r2 + size / assumed.r2Rate;
    if (copied) copies.set(key, Math.min(ready, copies.get(key) ?? Number.POSITIVE_INFINITY));
    return begins;
  };

  for (let node = 0; node < storm.nodes; node++) {
    const start = (node / storm.nodes) * storm.seconds;
    const place = node % storm.dataCentres;
    requests++;
    reads += costs.tag;
    perSecond[Math.floor(start)] = (perSecond[Math.floor(start)] ?? 0) + costs.tag;
    const manifest = get(place, "manifest", start + assumed.r2, 5000, costs.manifest);
    const lanes = Array.from({ length: assumed.atOnce }, () => manifest);
    for (const [index, size] of [2000, ...storm.layers].entries()) {
      const lane = lanes.indexOf(Math.min(...lanes));
      const first = get(place, `blob ${index}`, lanes[lane] ?? manifest, size, costs.blob);
      lanes[lane] = first + size / (assumed.nodeRate / assumed.atOnce);
    }
    slowest = Math.max(slowest, Math.max(...lanes) - start);
  }
  return { requests, reads, peak: Math.max(...perSecond.filter((count) => count > 0)), bytes, slowest };
}
