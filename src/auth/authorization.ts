import { AuthenticationError } from "./authentication-error.ts";
import { maxTokenLength } from "./issuer.ts";

/** A name and a password, as Basic carries them (RFC 7617). */
export interface BasicCredentials {
  readonly name: string;
  readonly password: string;
}

/** Characters of the header at most: an identity token as password, in base64, with a name. */
const maxLength = maxTokenLength * 1.5;

/**
 * The credentials in an `Authorization` header, whose scheme may have any case.
 * @throws AuthenticationError for one that is too long, malformed, or of another scheme.
 */
export function parseAuthorization(header: string): BasicCredentials | { readonly token: string } {
  if (header.length > maxLength) throw new AuthenticationError("credentials too long");
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +([^\s]+)$/.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return { token: value };
  if (scheme.toLowerCase() === "basic") return parseBasic(value);
  throw new AuthenticationError("malformed Authorization header");
}

function parseBasic(value: string): BasicCredentials {
  const text = decode(value);
  const colon = text.indexOf(":");
  if (colon < 0) throw new AuthenticationError("Basic credentials without a colon");
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(value: string): string {
  try {
    const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AuthenticationError("Basic credentials that are not UTF-8 in base64");
  }
}
