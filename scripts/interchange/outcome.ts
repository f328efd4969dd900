/** How far an import or an export is. */
export interface Outcome {
  /** Files or keys written. */
  copied: number;
  /** Those that were there already, as they should be. */
  present: number;
  /** Bytes of blobs written. */
  bytes: number;
  /** What was left out, and why. */
  readonly notes: string[];
}

export function newOutcome(): Outcome {
  return { copied: 0, present: 0, bytes: 0, notes: [] };
}

/** The outcome in one line. */
export function summary({ copied, present, bytes, notes }: Outcome): string {
  const mebibytes = (bytes / 1024 / 1024).toFixed(1);
  return `${copied} copied (${mebibytes} MiB of blobs), ${present} there already, ${notes.length} left out`;
}
