/** What no client must ever read: keys, stacks, names of the platform and its errors. */
export const internals =
  /docker\/registry|_skerry|_manifests|_layers|\bR2|\bKV\b|\.ts\b|node_modules|\n\s+at |\(\d{5}\)/;

/** One entry of the error envelope. */
export interface AnsweredError {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** The entries of the error envelope that an answer's text is. @throws Error if it is none. */
export function errorsOf(text: string): readonly AnsweredError[] {
  const { errors } = JSON.parse(text) as { readonly errors: readonly AnsweredError[] };
  if (errors.length === 0) throw new Error("an envelope without errors");
  return errors;
}
