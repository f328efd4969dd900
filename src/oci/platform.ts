import type { Descriptor } from "./descriptor.ts";
import type { Manifest } from "./manifest.ts";

/**
 * The child that a manifest list stands for where a client takes no lists: the first one whose platform is
 * exactly linux/amd64, whatever its variant (A33). Undefined if there is none, or for an image manifest.
 */
export function linuxAmd64Child(manifest: Manifest): Descriptor | undefined {
  if (manifest.kind !== "index") return undefined;
  return manifest.manifests.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
  );
}
