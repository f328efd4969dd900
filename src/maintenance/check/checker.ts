import type { Algorithm } from "../../oci/digest.ts";
import type { RepositoryName } from "../../oci/name.ts";
import type { Store } from "../../storage/store.ts";
import type { Finding, Problem } from "./finding.ts";

/** Hashes a stream to lower-case hex. The platform's way: workerd and Node have different ones. */
export type HashStream = (body: ReadableStream, algorithm: Algorithm) => Promise<string>;

export interface CheckOptions {
  /** Only this repository; undefined for all. */
  readonly name?: RepositoryName | undefined;
  /** Whether what can be repaired is. Otherwise nothing is written. */
  readonly repair: boolean;
  /** Reads and hashes all data, if given. */
  readonly hash?: HashStream | undefined;
}

/** A check at work. */
export class Checker {
  readonly store: Store;
  readonly options: CheckOptions;
  readonly #report: (finding: Finding) => void;
  readonly #foreign = new Map<RepositoryName, { links: number; tags: number }>();

  constructor(store: Store, options: CheckOptions, report: (finding: Finding) => void) {
    this.store = store;
    this.options = options;
    this.#report = report;
  }

  /** Tells of a problem, after its repair if there is one and it is wanted. */
  async find(problem: Problem, repair?: () => Promise<unknown>): Promise<void> {
    if (repair === undefined || !this.options.repair) {
      this.#report({ ...problem, repaired: false });
      return;
    }
    try {
      await repair();
      this.#report({ ...problem, repaired: true });
    } catch (error) {
      this.#report({ ...problem, repaired: false, failure: messageOf(error) });
    }
  }

  /** Counts something of distribution's: one finding a repository says all. */
  countForeign(name: RepositoryName, what: "links" | "tags"): void {
    const counts = this.#foreign.get(name) ?? { links: 0, tags: 0 };
    counts[what] += 1;
    this.#foreign.set(name, counts);
  }

  /** Tells of what was counted, but for a repository whose keys may go on. */
  async flushForeign(except?: RepositoryName): Promise<void> {
    for (const [name, counts] of this.#foreign) {
      if (name === except) continue;
      this.#foreign.delete(name);
      await this.find({ kind: "not adopted", name, ...counts });
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One key that cannot be read is a finding and does not end the check (M5). */
export async function guarded(
  checker: Checker,
  object: R2Object,
  look: (checker: Checker, object: R2Object) => Promise<void>,
): Promise<void> {
  try {
    await look(checker, object);
  } catch (error) {
    await checker.find({ kind: "not checked", key: object.key, reason: messageOf(error) });
  }
}
