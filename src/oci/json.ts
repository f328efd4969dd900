import { manifestInvalid } from "./invalid.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Manifests nest less than ten levels; a reader with a recursive parser must survive what Skerry stores. */
const maxDepth = 128;

/**
 * The keys of a manifest that decide what it is and what it refers to. Some readers take the last of several
 * equal keys, some the first, some ignore case: a manifest that they would read differently is refused (M14).
 */
const significantKeys: ReadonlyMap<string, string> = new Map(
  [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "subject",
    "artifactType",
    "annotations",
  ].map((key) => [foldCase(key), key]),
);

/**
 * The JSON object that these bytes are: UTF-8 without a byte order mark, nothing but white space around the
 * object, at most 128 levels, none of the significant keys at the top repeated or in other letter case.
 * Takes time linear in the size.
 * @throws RegistryError MANIFEST_INVALID (400).
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const text = decode(bytes);
  const keys = scanTopLevelKeys(text);
  const value = parse(text);
  if (!isJsonObject(value)) throw manifestInvalid("a JSON object expected");
  checkSignificantKeys(keys);
  return value;
}

/** The JSON object that stored bytes are, read as tolerantly as distribution reads; undefined if they are none. */
export function tryParseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes);
  const value = tryParseJson(text);
  return isJsonObject(value) ? value : undefined;
}

/** What a text is as JSON, of whatever form; undefined if it is none. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a value that came out of `JSON.parse` is an object, not an array or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) throw manifestInvalid("not UTF-8");
    throw cause;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw manifestInvalid(`not JSON: ${cause.message}`);
    throw cause;
  }
}

/**
 * The keys of the outermost object, still quoted and escaped, in order. Right for JSON; for other text it only
 * has to end, since `JSON.parse`, which hides repeated keys, comes after it.
 * @throws RegistryError MANIFEST_INVALID (400) where the text nests too deep.
 */
function scanTopLevelKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let keyExpected = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (keyExpected) keys.push(text.slice(at, end + 1));
      keyExpected = false;
      at = end;
    } else if (character === "{" || character === "[") {
      depth++;
      if (depth > maxDepth) throw manifestInvalid(`nested deeper than ${maxDepth} levels`);
      keyExpected = depth === 1 && character === "{";
    } else if (character === "}" || character === "]") {
      depth--;
    } else if (character === ",") {
      keyExpected = depth === 1;
    }
  }
  return keys;
}

/** Where the string that starts at `start` has its closing quote; beyond the text if it has none. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function checkSignificantKeys(quotedKeys: readonly string[]): void {
  const seen = new Set<string>();
  for (const quoted of quotedKeys) {
    const key = String(JSON.parse(quoted));
    const significant = significantKeys.get(foldCase(key));
    if (significant === undefined) continue;
    if (key !== significant) throw manifestInvalid(`key in other letter case than ${significant}`);
    if (seen.has(key)) throw manifestInvalid(`repeated key ${key}`);
    seen.add(key);
  }
}

/** Folds as Go's decoder does, for which the long s is an s and the Kelvin sign a k. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
