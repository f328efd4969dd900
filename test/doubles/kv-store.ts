import type { Clock } from "../../src/storage/ports.ts";
import type { Bytes } from "./r2-value.ts";

/** A value as KV keeps it; the metadata is its JSON text. */
export interface Entry {
  readonly bytes: Bytes;
  readonly metadata: string | undefined;
  /** Unix time in seconds. */
  readonly expiration: number | undefined;
}

export interface KvOptions {
  readonly clock: Clock;
  /**
   * Milliseconds for which a reader keeps answering what it saw, a miss included. 0, always current, by default;
   * KV's own is 60,000. A reader's own write replaces what it saw.
   */
  readonly readerCache?: number;
  /**
   * Milliseconds until the write with this number (from 0) is seen by anybody but its writer: writes land in
   * the order of their times, so a late one can bury a newer one. `Infinity` loses the write. 0 by default.
   */
  readonly delay?: (write: number) => number;
  /** Writes and deletes after which each further one throws, as over the daily limit. */
  readonly dailyWrites?: number;
}

interface Landing {
  readonly at: number;
  readonly key: string;
  readonly entry: Entry | undefined;
}

interface Seen {
  readonly until: number;
  readonly entry: Entry | undefined;
}

/** The contents of a KV namespace, and what each of its readers believes them to be. */
export class KvStore {
  readonly #entries = new Map<string, Entry>();
  readonly #readers = new Map<string, Map<string, Seen>>();
  readonly #options: KvOptions;
  #landings: Landing[] = [];
  #writes = 0;

  constructor(options: KvOptions) {
    this.#options = options;
  }

  /** How many writes and deletes there were, lost ones included. */
  get changes(): number {
    return this.#writes;
  }

  /** Everything that has landed, by key. */
  entries(): ReadonlyMap<string, Entry> {
    this.#land();
    return this.#entries;
  }

  /** Adds entries of another store as they are: to start from what an earlier run left. */
  load(entries: ReadonlyMap<string, Entry>): void {
    for (const [key, entry] of entries) this.#entries.set(key, entry);
  }

  /** Unix time in seconds. */
  seconds(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }

  /** What `reader` sees: possibly old, never newer than what was written. */
  read(reader: string, key: string): Entry | undefined {
    const now = this.#options.clock.now();
    const seen = this.#readers.get(reader)?.get(key);
    if (seen !== undefined && now < seen.until) return alive(seen.entry, now);
    const entry = this.current(key);
    this.#remember(reader, key, entry);
    return entry;
  }

  /** Writes, or deletes for undefined. */
  write(writer: string, key: string, entry: Entry | undefined): void {
    const number = this.#writes;
    this.#writes += 1;
    if (number >= (this.#options.dailyWrites ?? Number.POSITIVE_INFINITY)) {
      throw new Error(`KV ${entry === undefined ? "delete" : "put"}() limit exceeded for the day.`);
    }
    this.#remember(writer, key, entry);
    const at = this.#options.clock.now() + (this.#options.delay?.(number) ?? 0);
    if (at !== Number.POSITIVE_INFINITY) this.#landings.push({ at, key, entry });
  }

  /** The value that has landed, whatever readers believe. */
  current(key: string): Entry | undefined {
    this.#land();
    return alive(this.#entries.get(key), this.#options.clock.now());
  }

  /** The names of the keys that have landed, in order. */
  keys(prefix: string): readonly string[] {
    this.#land();
    const now = this.#options.clock.now();
    return [...this.#entries]
      .filter(([key, entry]) => key.startsWith(prefix) && alive(entry, now) !== undefined)
      .map(([key]) => key)
      .toSorted((a, b) => (a < b ? -1 : 1));
  }

  #remember(reader: string, key: string, entry: Entry | undefined): void {
    const kept = this.#options.readerCache ?? 0;
    if (kept === 0) return;
    const seen = this.#readers.get(reader) ?? new Map<string, Seen>();
    seen.set(key, { until: this.#options.clock.now() + kept, entry });
    this.#readers.set(reader, seen);
  }

  #land(): void {
    const now = this.#options.clock.now();
    const due = this.#landings.filter((landing) => landing.at <= now);
    if (due.length === 0) return;
    this.#landings = this.#landings.filter((landing) => landing.at > now);
    for (const { key, entry } of due.toSorted((a, b) => a.at - b.at)) {
      if (entry === undefined) this.#entries.delete(key);
      else this.#entries.set(key, entry);
    }
  }
}

function alive(entry: Entry | undefined, now: number): Entry | undefined {
  return entry?.expiration !== undefined && entry.expiration * 1000 <= now ? undefined : entry;
}
