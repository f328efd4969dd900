import type { Tag } from "../../oci/name.ts";
import { matchesWildcard } from "../../oci/wildcard.ts";

/** What is compared of a tag: when it was set, Unix time in milliseconds, and, of two set at once, its name. */
export interface Dated {
  readonly tag: Tag;
  readonly at: number;
}

/** Finds the newest so many tags of a listing in any order, remembering no more than those. */
export class Newest {
  readonly #limit: number;
  readonly #of: readonly string[] | undefined;
  /** The newest first. */
  readonly #found: Dated[] = [];

  /** @param of patterns of the tags that count; undefined: all of them. */
  constructor(limit: number, of: readonly string[] | undefined) {
    this.#limit = limit;
    this.#of = of;
  }

  add(dated: Dated): void {
    if (!this.#counts(dated.tag)) return;
    const place = this.#placeOf(dated);
    if (place >= this.#limit) return;
    this.#found.splice(place, 0, { tag: dated.tag, at: dated.at });
    if (this.#found.length > this.#limit) this.#found.pop();
  }

  /** Whether a tag is among them. One that was set since it was added is newer than it was. */
  has(dated: Dated): boolean {
    return this.#counts(dated.tag) && this.#placeOf(dated) < this.#limit;
  }

  #counts(tag: Tag): boolean {
    return this.#of?.some((pattern) => matchesWildcard(pattern, tag)) ?? true;
  }

  /** How many of those found are newer. */
  #placeOf(dated: Dated): number {
    let from = 0;
    let to = this.#found.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = this.#found[middle];
      if (other !== undefined && isNewer(other, dated)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function isNewer(one: Dated, other: Dated): boolean {
  return one.at > other.at || (one.at === other.at && one.tag > other.tag);
}
