import { RegistryError } from "./error.ts";
import { clip } from "./invalid.ts";
import type { Manifest } from "./manifest.ts";
import {
  dockerImageConfig,
  dockerManifest,
  dockerPluginConfig,
  ociImageConfig,
  ociManifest,
} from "./media-type.ts";

export type RepositoryClass = "image" | "plugin";

/**
 * The class of what a manifest describes, by the type of its config (A70 to A73). An index has none (A74).
 * @throws RegistryError DENIED (403) for any other config type (A72).
 */
export function classOf(manifest: Manifest): RepositoryClass | undefined {
  if (manifest.kind === "index") return undefined;
  const configType = manifest.config?.mediaType ?? "";
  if (manifest.mediaType === dockerManifest && configType === dockerImageConfig) return "image";
  if (manifest.mediaType === dockerManifest && configType === dockerPluginConfig) return "plugin";
  if (manifest.mediaType === ociManifest && configType === ociImageConfig) return "image";
  throw denied(`unknown manifest class for ${clip(configType)}`);
}

/**
 * Checks that a manifest may be pushed where classes are restricted.
 * @param allowed the classes of the configuration; empty: no restriction.
 * @param granted the classes for which the token grants this repository, where `""` stands for `image`; empty if
 * it names the repository nowhere or there is no token (A76, A77).
 * @throws RegistryError DENIED (403), with the messages of distribution (A72, A75, A76).
 */
export function checkClass(manifest: Manifest, allowed: readonly string[], granted: readonly string[]): void {
  if (allowed.length === 0) return;
  const manifestClass = classOf(manifest);
  if (manifestClass === undefined) return;
  if (!allowed.includes(manifestClass)) throw denied(`registry does not allow ${manifestClass} manifest`);
  if (granted.length > 0 && !granted.some((name) => (name || "image") === manifestClass)) {
    throw denied(`repository not authorized for ${manifestClass} manifest`);
  }
}

function denied(message: string): RegistryError {
  return new RegistryError("DENIED", { message });
}
