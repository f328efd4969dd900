import { type Digest, encodedOf } from "../../oci/digest.ts";

/** Bits of the filter: 1 MiB, in which 700,000 digests are told from others with one mistake in a hundred. */
const bits = 2 ** 23;
const hashes = 7;
/** Hex digits that one hash takes. */
const digits = 8;

/**
 * A set of digests in constant memory. It never forgets one, and now and then takes one for its own that was not
 * added: what garbage collection then keeps, it looks at again in its next pass, with another salt.
 */
export class DigestFilter {
  readonly #bits = new Uint32Array(bits / 32);
  readonly #salt: number;

  /** @param salt makes the mistakes of one pass different from those of another. */
  constructor(salt: number) {
    this.#salt = salt;
  }

  add(digest: Digest): void {
    for (const bit of this.#positions(digest)) {
      const word = bit >>> 5;
      this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (bit & 31));
    }
  }

  has(digest: Digest): boolean {
    for (const bit of this.#positions(digest)) {
      if (((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  // A digest is random already: stretches of its hex serve as hashes.
  *#positions(digest: Digest): Generator<number> {
    const hex = encodedOf(digest);
    for (let index = 0; index < hashes; index++) {
      const hash = Number.parseInt(hex.slice(index * digits, (index + 1) * digits), 16);
      yield (Math.imul(hash ^ this.#salt, 0x9e3779b1) >>> 0) % bits;
    }
  }
}
