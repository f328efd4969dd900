/** Characters of a foreign text that a page shows at most. */
const maxText = 4000;

/**
 * Control characters (but tab and line feed), those that turn the direction of the text, and those that take no
 * room: shown as they are they could make a page say something else than what is there.
 */
const unseen = /[^\P{C}\t\n]|[\u2028\u2029\u115f\u1160\u3164]/gu;

/** Foreign text as a page shows it: what cannot be seen is written out, and the end of a long one left out. */
export function shown(text: string): string {
  const visible = text
    .slice(0, maxText)
    .replace(
      unseen,
      (character) => `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
    );
  return text.length > maxText ? `${visible}… (${text.length - maxText} more characters)` : visible;
}

/** The text if it is an http or https URL, which alone a page may link to. */
export function webUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.href : undefined;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Bytes for people: three digits and a unit. */
export function sizeText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const amount = bytes / 1024 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toPrecision(3)} ${units[power]}`;
}

/** The first digits of a digest, enough to tell it from others on a page; sha256 goes without saying. */
export function shortDigest(digest: string): string {
  const [algorithm = "", encoded = ""] = digest.split(":");
  const digits = encoded.slice(0, 12);
  return algorithm === "sha256" ? digits : `${algorithm}:${digits}`;
}

/** A number with its noun: `1 tag`, `12 tags`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
