import { isPublicHost } from "../oci/public-url.ts";
import type { Fetch } from "../storage/ports.ts";
import type { Upstream } from "./upstream.ts";
import { timedOut, unreachable } from "./upstream-error.ts";

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface Outgoing {
  readonly method: "GET" | "HEAD";
  readonly headers: Readonly<Record<string, string>>;
  /** Goes to the origin of the URL alone, whatever it redirects to. */
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
}

export interface Incoming {
  readonly response: Response;
  /** Whether it comes from the origin that was asked, and not from where that one sent us. */
  readonly isOwn: boolean;
}

/**
 * Asks an upstream, and goes where it is sent to: at most five times, never from https to http nor to an inner
 * network unless the configuration says so of the upstream, and without the upstream's credentials.
 * @throws UpstreamError 502 for a network's failure or a redirect that leads nowhere, 504 when the signal fires.
 */
export async function send(fetch: Fetch, upstream: Upstream, from: URL, ask: Outgoing): Promise<Incoming> {
  let url = from;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    if (!mayFetch(upstream, url)) throw unreachable(`${upstream.prefix}: a redirect to where none may lead`);
    const isOwn = url.origin === from.origin;
    const authorization = isOwn ? ask.authorization : undefined;
    const response = await sendOnce(fetch, url, {
      method: ask.method,
      headers: {
        "User-Agent": "skerry",
        // A body that the platform unpacks would have another length than the one announced.
        "Accept-Encoding": "identity",
        ...ask.headers,
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      redirect: "manual",
      signal: ask.signal,
    });
    if (!redirects.has(response.status)) return { response, isOwn };
    await discard(response);
    const next = URL.parse(response.headers.get("Location") ?? "", url.href);
    if (next === null) throw unreachable(`${upstream.prefix}: a redirect without a place`);
    url = next;
  }
  throw unreachable(`${upstream.prefix}: more than ${maxRedirects} redirects`);
}

/** Whether a request on behalf of the upstream may go there. */
export function mayFetch(upstream: Upstream, url: URL): boolean {
  const isSecure = url.protocol === "https:" || (upstream.insecure && url.protocol === "http:");
  return isSecure && url.username === "" && url.password === "" && (upstream.private || isPublicHost(url));
}

/** Lets go of a body that nobody will read. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

async function sendOnce(
  fetch: Fetch,
  url: URL,
  init: RequestInit & { signal: AbortSignal },
): Promise<Response> {
  try {
    return await fetch(url.href, init);
  } catch (cause) {
    throw init.signal.aborted ? timedOut(cause) : unreachable(cause);
  }
}
