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
}

/** What the tombstone of an unfinished delete keeps. Texts compare as progress does: what comes later is greater. */
export function printProgress({ phase, after }: Progress): string {
  // A folder's name is listed with its slash.
  return phase === "scan" && after !== undefined ? `scan/${after}/` : `${phase}/${after ?? ""}`;
}

export function parseProgress(text: string): Progress {
  const [phase, after] = text.split("/");
  return { phase: phase === "scan" ? "scan" : "tags", after: after === "" ? undefined : after };
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
    if ((await swapToTombstone(store, key, tombstone, text)) !== undefined || text === undefined) return;
    const now = await readLink(store, key, digest);
    if (now.target === undefined && now.untaggedUpTo !== undefined && text < now.untaggedUpTo) {
      await swapToTombstone(store, key, now, text);
    }
  } catch (error) {
    console.warn("the progress of a delete could not be noted", error);
  }
}
