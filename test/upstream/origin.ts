/** A registry behind a fault proxy: what it answers to a request. */
export type Origin = (request: Request) => Promise<Response>;

/**
 * A registry that answers at `host:port`, over plain HTTP. It is told where the request came to, so that with
 * `TRUST_PROXY` its Locations lead there.
 */
export function remoteOrigin(host: string): Origin {
  return async (request) => {
    const { pathname, search, host: cameTo } = new URL(request.url);
    const { method } = request;
    const headers = new Headers(request.headers);
    headers.set("X-Forwarded-Host", cameTo);
    // fetch would take the encoding off the body, and not off the headers.
    headers.set("Accept-Encoding", "identity");
    const body = request.body && Buffer.from(await request.arrayBuffer());
    return fetch(`http://${host}${pathname}${search}`, { method, headers, body, redirect: "manual" });
  };
}
