import type { Digest } from "../oci/digest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { Happening } from "./event.ts";

/** What happened to a blob. Blobs have no media type of their own. */
export function blobEvent(
  type: "push" | "pull" | "mount" | "delete",
  repository: RepositoryName,
  { digest, size, from }: { readonly digest: Digest; readonly size?: number; readonly from?: RepositoryName },
): Happening {
  return { type, kind: "blob", repository, digest, mediaType: "application/octet-stream", size, from };
}
