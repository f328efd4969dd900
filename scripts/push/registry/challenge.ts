/** How a registry wants to be asked (RFC 9110, section 11.6.1; the Docker token protocol). */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, "g");
const schemes = /(?:^|,)\s*(Basic|Bearer)(?=\s|$|,)/gi;

/** The challenge of a `WWW-Authenticate` header that can be met: Bearer before Basic; undefined without either. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined;
  // What is quoted cannot begin a challenge.
  const plain = header.replaceAll(/"(?:[^"\\]|\\.)*"/g, (quoted) => "_".repeat(quoted.length));
  const starts = [...plain.matchAll(schemes)];
  const challenges = starts.map((start, index) => ({
    scheme: start[1]?.toLowerCase(),
    text: header.slice(start.index + start[0].length, starts[index + 1]?.index),
  }));
  for (const { scheme, text } of challenges) {
    const { realm, service, scope } = parameters(text);
    if (scheme === "bearer" && realm !== undefined) return { scheme, realm, service, scope };
  }
  return challenges.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : undefined;
}

function parameters(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    [...text.matchAll(parameter)].map(([, name = "", quoted, bare]) => [
      name.toLowerCase(),
      quoted?.replaceAll(/\\(.)/g, "$1") ?? bare,
    ]),
  );
}
