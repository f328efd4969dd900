import type { ChunkLimits } from "./registry/repository.ts";

const mebibyte = 1024 * 1024;
/** Bytes: what is sent again after a cut connection, against a round trip for each. */
const preferred = 32 * mebibyte;
/** Chunks of one blob: Skerry takes 900 of them. */
const maxChunks = 500;
/** Bytes below which smaller chunks help nobody, whatever the registry announces. */
const smallest = 64 * 1024;

/** How large the chunks of one upload are; they become smaller when something on the way does not let them through. */
export class ChunkSize {
  readonly #wanted: number | undefined;
  #limits: ChunkLimits = { min: undefined, max: undefined };
  #ceiling = Number.POSITIVE_INFINITY;

  /** @param wanted bytes, by the user's choice. */
  constructor(wanted: number | undefined) {
    this.#wanted = wanted;
  }

  /** Takes what the registry announces with a session. */
  announced(limits: ChunkLimits): void {
    this.#limits = limits;
  }

  /** Bytes of the next chunk of a blob of `size` bytes: 32 MiB, or more for one that would need too many of them. */
  of(size: number): number {
    const { min = 0, max = Number.POSITIVE_INFINITY } = this.#limits;
    const wanted = this.#wanted ?? Math.max(preferred, Math.ceil(size / maxChunks));
    return Math.min(Math.max(wanted, min), max, this.#ceiling);
  }

  /**
   * Halves the chunks, after one of `length` bytes did not get through.
   * @param wasRefused whether for its size: then the announced least size is no bound.
   * @returns whether they have become smaller.
   */
  shrink(length: number, wasRefused: boolean): boolean {
    const least = wasRefused ? smallest : Math.max(smallest, this.#limits.min ?? 0);
    const half = Math.max(least, Math.floor(length / 2));
    if (half >= length) return false;
    this.#ceiling = half;
    return true;
  }
}
