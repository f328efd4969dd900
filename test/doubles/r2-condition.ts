/** What a condition looks at: the etag (unquoted) and the time of upload in milliseconds. */
export interface Conditioned {
  readonly etag: string;
  readonly uploaded: number;
}

interface EtagTest {
  readonly etag: string;
  readonly weak: boolean;
}

interface Condition {
  readonly matches?: readonly EtagTest[] | undefined;
  readonly doesNotMatch?: readonly EtagTest[] | undefined;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly granularity: number;
}

/** A condition that was read once and can be tested against an object, or against none. */
export type Predicate = (object: Conditioned | undefined) => boolean;

/**
 * Reads the `onlyIf` of a get or put.
 * @throws TypeError for an etag in quotes, as the binding does.
 */
export function parseCondition(onlyIf: R2Conditional | Headers | undefined): Predicate {
  if (onlyIf === undefined) return () => true;
  const condition = onlyIf instanceof Headers ? fromHeaders(onlyIf) : fromOptions(onlyIf);
  return (object) => holds(condition, object);
}

/**
 * RFC 9110, section 13.2.2, as R2 evaluates it: a date counts only if the etag test of its kind is absent or
 * fails to decide. A missing object satisfies everything but `etagMatches` and `uploadedAfter`.
 */
function holds(condition: Condition, object: Conditioned | undefined): boolean {
  const { matches, doesNotMatch, before, after, granularity } = condition;
  if (object === undefined) return matches === undefined && after === undefined;
  const truncate = (time: number) => Math.floor(time / granularity) * granularity;
  const uploaded = truncate(object.uploaded);
  const match = matches === undefined || includes(matches, object.etag, false);
  const noneMatch = doesNotMatch === undefined || !includes(doesNotMatch, object.etag, true);
  const isAfter =
    after === undefined || truncate(after) < uploaded || (doesNotMatch !== undefined && noneMatch);
  const isBefore = before === undefined || uploaded < truncate(before) || (matches !== undefined && match);
  return match && noneMatch && isAfter && isBefore;
}

function includes(tests: readonly EtagTest[], etag: string, weakComparison: boolean): boolean {
  return tests.some((test) => test.etag === "*" || (test.etag === etag && (weakComparison || !test.weak)));
}

function fromOptions(onlyIf: R2Conditional): Condition {
  return {
    matches: etagTest(onlyIf.etagMatches),
    doesNotMatch: etagTest(onlyIf.etagDoesNotMatch),
    before: onlyIf.uploadedBefore?.getTime(),
    after: onlyIf.uploadedAfter?.getTime(),
    granularity: onlyIf.secondsGranularity === true ? 1000 : 1,
  };
}

function etagTest(etag: string | undefined): readonly EtagTest[] | undefined {
  if (etag === undefined) return undefined;
  if (/^(W\/)?".*"$/.test(etag)) {
    throw new TypeError(`Conditional ETag should not be wrapped in quotes (${etag}).`);
  }
  return [{ etag, weak: false }];
}

function fromHeaders(headers: Headers): Condition {
  const time = (name: string) => {
    const text = headers.get(name);
    return text === null ? undefined : Date.parse(text);
  };
  return {
    matches: etagList(headers.get("if-match")),
    doesNotMatch: etagList(headers.get("if-none-match")),
    before: time("if-unmodified-since"),
    after: time("if-modified-since"),
    granularity: 1000,
  };
}

function etagList(header: string | null): readonly EtagTest[] | undefined {
  if (header === null) return undefined;
  if (header.trim() === "*") return [{ etag: "*", weak: false }];
  return Array.from(header.matchAll(/(W\/)?"([^"]*)"/g), (match) => ({
    etag: match[2] ?? "",
    weak: match[1] !== undefined,
  }));
}
