import type { Answer } from "../registry-client.ts";

/** A check that failed, and what is the likely reason. */
export class Failure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

export function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** @throws Failure with a reason, unless the answer has one of these statuses. */
export function expectStatus(answer: Answer, ...statuses: readonly number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  throw new Failure(
    `${answer.status} instead of ${statuses.join(" or ")}${messageOf(answer)}`,
    hintFor(answer),
  );
}

/** What Skerry's error says, or the beginning of another body. */
function messageOf({ body }: Answer): string {
  const text = body.toString();
  try {
    const [error] = (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors;
    return `: ${error?.code} ${error?.message}`;
  } catch {
    return text === "" ? "" : `: ${text.slice(0, 100).replace(/\s+/g, " ")}`;
  }
}

/** What may be wrong with the credentials. */
export const loginHint =
  "SKERRY_ACCOUNT and SKERRY_KEY: is the account in the ACCOUNTS secret, and the key its own? Without them: ANONYMOUS";

const hints: Readonly<Record<number, string>> = {
  401: loginHint,
  403: "the account needs pull, push and delete for the repository",
  405: "READ_ONLY or DELETE_ENABLED forbids it",
  413: "a request body is larger than the host allows",
  429: "too many failed logins from this address: wait a minute",
  500: "a variable has a wrong value, or a binding is missing: `npx wrangler tail` shows the reason",
  503: "the registry asks to come back later",
};

function hintFor(answer: Answer): string | undefined {
  const isPage = header(answer, "Content-Type")?.startsWith("text/html");
  if (isPage && answer.status === 413)
    return "Cloudflare refuses the body before the Worker sees it: the limit of the zone's plan";
  if (isPage) {
    return "a page of HTML, not the registry's answer: a firewall, a challenge for bots or Access stands before it, or the Worker is not deployed at this host";
  }
  return hints[answer.status];
}

/**
 * Asserts that the answer brings exactly these bytes with their length, as clients need it.
 * @throws Failure telling what happened to them on the way.
 */
export function expectBytes(answer: Answer, bytes: Uint8Array): void {
  const encoding = header(answer, "Content-Encoding");
  if (encoding !== undefined) {
    throw new Failure(
      `came compressed (${encoding})`,
      "something on the way compresses in spite of Cache-Control: no-transform; switch compression off for this host",
    );
  }
  expectLength(answer, bytes.length);
  if (!answer.body.equals(bytes)) throw new Failure("other bytes came than were pushed");
}

/** Asserts that Content-Length is there and right. @throws Failure */
export function expectLength(answer: Answer, length: number): void {
  const told = header(answer, "Content-Length");
  if (told === undefined) {
    throw new Failure(
      "came without Content-Length",
      "something on the way removes it, as proxies do that transform or buffer answers; clients cannot show progress or resume",
    );
  }
  if (Number(told) !== length)
    throw new Failure(`Content-Length is ${told}, the content has ${length} bytes`);
}

/** Asserts a header. @throws Failure */
export function expectHeader(answer: Answer, name: string, value: string): void {
  const found = header(answer, name);
  if (found !== value) throw new Failure(`${name} is ${found ?? "missing"}, ${value} was expected`);
}
