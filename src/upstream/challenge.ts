/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case; a challenge of token68 has none. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** What comes next: a scheme and what follows it, or a parameter. White space and empty elements are skipped. */
const parameter = new RegExp(`(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, "y");
const scheme = new RegExp(`(${token})(?=[ \\t]|,|$)`, "y");
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const space = /[ \t]+/y;
const separator = /[ \t,]*/y;

/**
 * The challenges of a `WWW-Authenticate` header, several lines of which are joined by commas (RFC 9110, 11.6.1).
 * What cannot be read ends the list: a challenge before it is whole.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const found = expression.exec(header);
    if (found !== null) at = expression.lastIndex;
    return found;
  };
  while (take(separator) !== null && at < header.length) {
    const pair = take(parameter);
    if (pair !== null) {
      const value = pair[2]?.replaceAll(/\\(.)/g, "$1") ?? pair[3] ?? "";
      challenges.at(-1)?.parameters.set((pair[1] ?? "").toLowerCase(), value);
      continue;
    }
    const named = take(scheme);
    if (named === null) break;
    challenges.push({ scheme: (named[1] ?? "").toLowerCase(), parameters: new Map() });
    if (take(space) !== null && !startsParameter(header, at)) take(token68);
  }
  return challenges;
}

/** Whether a parameter stands there, which looks like token68 up to its equals sign. */
function startsParameter(header: string, at: number): boolean {
  parameter.lastIndex = at;
  return parameter.test(header);
}
