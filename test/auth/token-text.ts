/** A part of a token that nobody signs. */
export function json(value: unknown): string {
  return base64Url(JSON.stringify(value));
}

/** Bytes, each a character, as a token writes them. */
export function base64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
