import type { Store } from "../storage/store.ts";

/** Milliseconds that R2 and KV have for an answer. */
const budget = 2000;
/** Milliseconds for which an isolate gives the same answer again: nobody makes it ask more often. */
const held = 5000;

type Verdict = "ok" | "failed";

/** What could be asked; KV is absent where no records are kept. */
export interface Readiness {
  readonly r2: Verdict;
  readonly kv?: Verdict;
}

/** Whether R2 and KV answer, asked every few seconds at most. */
export class ReadinessProbe {
  #answer: Readiness | undefined;
  #askedAt = 0;

  /** The answer of the last five seconds, else a new one, after two seconds at most. */
  async check(store: Store): Promise<Readiness> {
    const now = store.clock.now();
    if (this.#answer !== undefined && now - this.#askedAt < held) return this.#answer;
    // Whoever comes meanwhile gets the last answer. Only it is shared: a promise would die with its request.
    this.#askedAt = now;
    this.#answer = await probe(store);
    return this.#answer;
  }
}

async function probe(store: Store): Promise<Readiness> {
  const { bucket, layout, tagRecords, clock } = store;
  const late = clock.sleep(budget).then((): Verdict => "failed");
  const verdictOn = (what: string, work: Promise<unknown>) =>
    Promise.race([work.then((): Verdict => "ok", failed(what)), late]);
  const [r2, kv] = await Promise.all([
    verdictOn("R2", bucket.head(layout.guard())),
    tagRecords && verdictOn("KV", tagRecords.probe()),
  ]);
  return { r2, ...(kv && { kv }) };
}

function failed(what: string) {
  return (error: unknown): Verdict => {
    console.error(`${what} does not answer`, error);
    return "failed";
  };
}
