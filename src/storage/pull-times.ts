import type { Digest } from "../oci/digest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { isTooManyWrites } from "./r2-error.ts";
import { Remembered } from "./remembered.ts";
import type { Store } from "./store.ts";

/** Milliseconds for which a recorded pull stands for all that follow: what is asked is days. */
const precision = 20 * 3600 * 1000;
/** Pulls that an isolate remembers to have recorded. */
const maxRemembered = 20_000;

/**
 * Records when tags and manifests were last pulled, to about a day: the time of a key is that of the pull. An
 * isolate looks once a day at each that is pulled through it, and writes if nobody else has.
 */
export class PullTimes {
  readonly #recorded = new Remembered<string, number>(maxRemembered);

  /** Records a pull, after its answer. */
  async record(store: Store, name: RepositoryName, pulled: Tag | Digest): Promise<void> {
    const { layout, clock } = store;
    const key = layout.pulled(name, pulled);
    const now = clock.now();
    const known = this.#recorded.get(key);
    if (known !== undefined && now - known < precision) return;
    this.#recorded.set(key, now);
    try {
      await this.#write(store, key, now);
    } catch (error) {
      // The next pull tries again.
      this.#recorded.delete(key);
      throw error;
    }
  }

  async #write({ bucket }: Store, key: string, now: number): Promise<void> {
    const record = await bucket.head(key);
    if (record !== null && now - record.uploaded.getTime() < precision) return;
    try {
      await bucket.put(key, "");
    } catch (error) {
      // Somebody else writes the same at this moment.
      if (!isTooManyWrites(error)) throw error;
    }
  }
}
