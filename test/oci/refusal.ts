import { type ErrorEntry, RegistryError } from "../../src/oci/error.ts";

export interface Refusal {
  readonly status: number;
  readonly entries: readonly ErrorEntry[];
}

/** The answer that `action` throws. Fails if it throws anything else or nothing. */
export function refusalOf(action: () => unknown): Refusal {
  const outcome = outcomeOf(action);
  if ("value" in outcome) throw new Error(`not refused: ${JSON.stringify(outcome.value)}`);
  return outcome.refusal;
}

/** What `action` returns, or the answer that it throws; anything else that it throws is a failure. */
export function outcomeOf<T>(action: () => T): { readonly value: T } | { readonly refusal: Refusal } {
  try {
    return { value: action() };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { refusal: { status: error.status, entries: error.entries } };
  }
}

/** Whether `action` returns or refuses with 4xx, in an envelope of less than 4 KiB. */
export function isHarmless(action: () => unknown): boolean {
  const outcome = outcomeOf(action);
  if ("value" in outcome) return true;
  const { status, entries } = outcome.refusal;
  return status >= 400 && status < 500 && JSON.stringify(entries).length < 4096;
}
