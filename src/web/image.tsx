import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { NearContent } from "../storage/near-content.ts";
import { Pairs } from "./elements.tsx";
import { type HistoryEntry, type ImageConfig, isImageConfig, readImageConfig } from "./image-config.ts";
import { Layers } from "./layers.tsx";
import { type SharedLayers, sharedLayers } from "./shared-layers.ts";
import { shown } from "./text.ts";

/** What a page tells of an image. */
export interface ImageFacts {
  readonly layers: readonly Descriptor[];
  /** undefined for another artifact, or a configuration that cannot be read. */
  readonly config: ImageConfig | undefined;
  /** Whether the manifest is an image's, with a configuration that should be readable. */
  readonly isImage: boolean;
  readonly shared: SharedLayers;
}

/** Reads what a page tells of an image: its configuration, and up to 20 other tags of the repository. */
export async function imageViewOf(
  near: NearContent,
  name: RepositoryName,
  digest: Digest,
  { config: descriptor, layers }: ImageManifest,
): Promise<ImageFacts> {
  const isImage = descriptor !== undefined && isImageConfig(descriptor);
  const config = await readImageConfig(near, name, descriptor);
  const shared = await sharedLayers(near, name, digest, config?.platform ?? "");
  return { layers, config, isImage, shared };
}

/** An image: configuration, layers, and how it was made. */
export function ImageView({ view }: { readonly view: ImageFacts }) {
  const { layers, config, isImage, shared } = view;
  return (
    <>
      <Layers layers={layers} history={config?.history ?? []} shared={shared} />
      {config === undefined ? (
        isImage && <p class="hint">The configuration is not there, too large, or not readable.</p>
      ) : (
        <Configuration config={config} />
      )}
    </>
  );
}

function Configuration({ config }: { readonly config: ImageConfig }) {
  const lines: readonly (readonly [string, string])[] = [
    ["Platform", config.platform],
    ["Created", config.created],
    ["Author", config.author],
    ["Entrypoint", argumentsText(config.entrypoint)],
    ["Command", argumentsText(config.command)],
    ["User", config.user],
    ["Working directory", config.workingDirectory],
    ["Stop signal", config.stopSignal],
    ["Ports", config.ports.join(", ")],
    ["Volumes", config.volumes.join(", ")],
  ];
  return (
    <>
      <Pairs heading="Configuration" pairs={lines.filter(([, value]) => value !== "")} />
      <Pairs heading="Environment" pairs={config.environment.map(variable)} />
      <Pairs heading="Labels" pairs={config.labels} />
      <History steps={config.history} />
    </>
  );
}

function History({ steps }: { readonly steps: readonly HistoryEntry[] }) {
  if (steps.length === 0) return null;
  return (
    <section>
      <h2>History</h2>
      <ol class="history">
        {steps.slice(0, maxSteps).map(({ createdBy, comment, empty }) => (
          <li>
            <code class="steps">{shown(createdBy || comment)}</code>
            {empty && <span class="badge">no layer</span>}
          </li>
        ))}
      </ol>
      {steps.length > maxSteps && (
        <p class="hint">{`${steps.length - maxSteps} more steps are not shown.`}</p>
      )}
    </section>
  );
}

/** Steps of a history at most: images have a few dozen. */
const maxSteps = 300;

/** Arguments as the configuration has them, so that it is clear where one ends. */
function argumentsText(words: readonly string[]): string {
  return words.length === 0 ? "" : JSON.stringify(words);
}

function variable(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}
