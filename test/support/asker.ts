import type { Asker } from "./registry.ts";

/**
 * Asks a registry over HTTP, with an `Authorization` if one is given. Stands apart from the registry over doubles,
 * since programs that node runs as they are cannot load the app: its pages are `.tsx`.
 */
export function askerOf(origin: string, authorization?: string): Asker {
  return {
    ask(request, { headers, body = null } = {}) {
      const [method = "GET", url = "/"] = request.split(" ");
      const all = new Headers(headers);
      if (authorization !== undefined) all.set("Authorization", authorization);
      return fetch(new URL(url, origin), { method, headers: all, body });
    },
  };
}
