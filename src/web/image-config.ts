import type { Descriptor } from "../oci/descriptor.ts";
import { isJsonObject, type JsonObject, tryParseJsonObject } from "../oci/json.ts";
import { annotations, list, readField, text, texts, tolerate } from "../oci/json-field.ts";
import { dockerImageConfig, ociImageConfig } from "../oci/media-type.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { NearContent } from "../storage/near-content.ts";

/** Bytes of a configuration that is read; those of real images have some thousand. */
const maxConfig = 1024 * 1024;
/** Entries of lists and maps that are kept of a configuration. */
const maxEntries = 500;

/** One step of how an image was made (image-spec, config.md). */
export interface HistoryEntry {
  readonly createdBy: string;
  readonly comment: string;
  /** Whether the step made no layer. */
  readonly empty: boolean;
}

/** What an image's configuration says of it; what is missing or faulty there is `""` or empty. */
export interface ImageConfig {
  /** `linux/arm64/v8`; "" if it says nothing. */
  readonly platform: string;
  readonly created: string;
  readonly author: string;
  readonly user: string;
  readonly workingDirectory: string;
  readonly stopSignal: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: readonly (readonly [string, string])[];
  readonly history: readonly HistoryEntry[];
}

/** Whether a configuration of this type is an image's. */
export function isImageConfig({ mediaType }: Descriptor): boolean {
  return mediaType === ociImageConfig || mediaType === dockerImageConfig;
}

/**
 * The configuration of an image: hostile input, of which only what has the right type is kept. Undefined if it is
 * none, larger than 1 MiB, or not there.
 */
export async function readImageConfig(
  near: NearContent,
  name: RepositoryName,
  descriptor: Descriptor | undefined,
): Promise<ImageConfig | undefined> {
  if (descriptor === undefined || !isImageConfig(descriptor)) return undefined;
  const blob = await near.blob(name, descriptor.digest);
  if (blob === undefined) return undefined;
  if (blob.size > maxConfig) {
    await blob.body.cancel();
    return undefined;
  }
  const body = tryParseJsonObject(new Uint8Array(await new Response(blob.body).arrayBuffer()));
  return body && imageConfigOf(body);
}

/** The configuration that a JSON object is. */
export function imageConfigOf(body: JsonObject): ImageConfig {
  const config = isJsonObject(body.config) ? body.config : {};
  const string = (fields: JsonObject, key: string) => readField(fields, key, text, "", tolerate) ?? "";
  const strings = (key: string) => (readField(config, key, texts, "", tolerate) ?? []).slice(0, maxEntries);
  const keys = (key: string) =>
    isJsonObject(config[key]) ? Object.keys(config[key]).slice(0, maxEntries) : [];
  const labels = readField(config, "Labels", annotations, "", tolerate) ?? {};
  const history = readField(body, "history", list, "", tolerate) ?? [];
  return {
    platform: platformText(string(body, "os"), string(body, "architecture"), string(body, "variant")),
    created: string(body, "created"),
    author: string(body, "author"),
    user: string(config, "User"),
    workingDirectory: string(config, "WorkingDir"),
    stopSignal: string(config, "StopSignal"),
    entrypoint: strings("Entrypoint"),
    command: strings("Cmd"),
    environment: strings("Env"),
    ports: keys("ExposedPorts"),
    volumes: keys("Volumes"),
    labels: Object.entries(labels).slice(0, maxEntries),
    history: history.filter(isJsonObject).map((step) => ({
      createdBy: string(step, "created_by"),
      comment: string(step, "comment"),
      empty: step.empty_layer === true,
    })),
  };
}

/** A platform as clients write it. */
export function platformText(os = "", architecture = "", variant = ""): string {
  return [os, architecture, variant].filter((part) => part !== "").join("/");
}

/**
 * The step that made each layer, in the order of the layers; undefined if the history does not fit to them, since
 * then no step is certain.
 */
export function layerSteps(
  history: readonly HistoryEntry[],
  layers: number,
): readonly HistoryEntry[] | undefined {
  const steps = history.filter(({ empty }) => !empty);
  return steps.length === layers ? steps : undefined;
}
