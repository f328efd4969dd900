import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { type Link, readLink, swapToTombstone } from "./link.ts";
import type { Store } from "./store.ts";

/**
 * How far a delete by digest has come with the tags: `scan` goes through all that distribution wrote in the
 * repository, `tags` through those that ever named the digest; `after` is the last one of those before which all
 * are done.
 */
export interface Progress {
  readonly phase: "scan" | "tags";
  readonly after: string | undefined;
  /** How many tags of the phase were left, where it was counted. */
  readonly left?: number | undefined;
}

/** What the tombstone of an unfinished delete keeps. */
export function printProgress({ phase, after, left }: Progress): string {
  return `${phase}/${after ?? ""}/${left ?? ""}`;
}

export function parseProgress(text: string): Progress {
  const [phase, after, left] = text.split("/");
  return {
    phase: phase === "scan" ? "scan" : "tags",
    after: after === "" ? undefined : after,
    left: left ? Number(left) : undefined,
  };
}

function isBefore(a: Progress, b: Progress): boolean {
  if (a.phase !== b.phase) return a.phase === "scan";
  // The names of folders, in whose order the scan goes, are listed with a slash.
  const end = a.phase === "scan" ? "/" : "";
  return b.after !== undefined && (a.after === undefined || a.after + end < b.after + end);
}

/**
 * Writes into the tombstone how far the removal of tags has come, or, with undefined, that it is done. Forward only
 * while the tombstone is the one that the caller worked on: another may be that of a later life, whose tags nobody
 * has looked at. Back at any time, since that costs only work. A failure is logged: without a note the repeated
 * request begins at the beginning.
 */
export async function noteProgress(
  store: Store,
  name: RepositoryName,
  digest: Digest,
  tombstone: Link,
  progress: Progress | undefined,
): Promise<void> {
  const key = store.layout.revisionLink(name, digest);
  const text = progress && printProgress(progress);
  try {
    if ((await swapToTombstone(store, key, tombstone, text)) !== undefined || progress === undefined) return;
    const now = await readLink(store, key, digest);
    if (
      now.target === undefined &&
      now.untaggedUpTo !== undefined &&
      isBefore(progress, parseProgress(now.untaggedUpTo))
    ) {
      await swapToTombstone(store, key, now, text);
    }
  } catch (error) {
    console.warn("the progress of a delete could not be noted", error);
  }
}
