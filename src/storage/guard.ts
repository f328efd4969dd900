import { retryLater } from "../oci/error.ts";
import { swap, type Version } from "./register.ts";
import type { Store } from "./store.ts";

/** A collector that has not acknowledged its sweep for this long, in milliseconds, is dead. */
const deadAfter = 5 * 60 * 1000;

/**
 * Whether the collector that announced a sweep at `since` is dead at `now`; both are Unix times in milliseconds. An
 * announcement from the future was made by a clock that was wrong: it would keep every writer waiting until then.
 */
export function isDead(since: number, now: number): boolean {
  return Math.abs(now - since) > deadAfter;
}

/** How often, and how many times, a writer looks whether a sweep is over; a sweep takes at most 30 seconds. */
const pollEvery = 1000;
const polls = 25;

interface Guard {
  readonly version: Version;
  readonly idle: boolean;
  /** Unix time in milliseconds of the announcement. */
  readonly since: number;
}

/**
 * A writer's watch on garbage collection. The collector announces itself in one object before it verifies and
 * deletes, and acknowledges afterwards; a writer that finds that object as it was when the watch began, and
 * idle, knows that no sweep touched what it relies on.
 */
export class GuardWatch {
  readonly #store: Store;
  #seen: Guard;

  private constructor(store: Store, seen: Guard) {
    this.#store = store;
    this.#seen = seen;
  }

  /** One read, which must be answered before the first check or write that the watch protects is issued. */
  static async begin(store: Store): Promise<GuardWatch> {
    return new GuardWatch(store, await readGuard(store));
  }

  /** One read: whether no sweep began or ended since the watch began. */
  async clean(): Promise<boolean> {
    const now = await readGuard(this.#store);
    return now.idle && this.#seen.idle && now.version === this.#seen.version;
  }

  /**
   * Waits until no sweep is going on; from then on the watch begins anew, and what the writer relies on must be
   * verified again.
   * @throws RegistryError 503 if the sweep outlasts the wait.
   */
  async waitUntilIdle(): Promise<void> {
    for (let poll = 0; poll < polls; poll++) {
      this.#seen = await readGuard(this.#store);
      if (this.#seen.idle) return;
      if (isDead(this.#seen.since, this.#store.clock.now())) await this.#dismiss(this.#seen);
      else await this.#store.clock.sleep(pollEvery);
    }
    throw retryLater(10, "garbage collection is going on");
  }

  async #dismiss(dead: Guard): Promise<void> {
    const nonce = crypto.randomUUID();
    await swap(
      this.#store,
      this.#store.layout.guard(),
      dead.version,
      JSON.stringify({ state: "idle", nonce }),
      {
        state: "idle",
      },
    );
  }
}

async function readGuard(store: Store): Promise<Guard> {
  const head = await store.bucket.head(store.layout.guard());
  if (head === null) return { version: undefined, idle: true, since: 0 };
  const { state, at } = head.customMetadata ?? {};
  return { version: head.etag, idle: state !== "sweeping", since: Number(at ?? 0) };
}
