import type { Asker } from "../support/registry.ts";

interface Manifest {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** A tag, and what of it could not be had. */
export interface Pulled {
  /** `name:tag`. */
  readonly reference: string;
  readonly digest: string | null;
  /** What was asked for and not given, such as `app@sha256:… 404`; empty for a whole image. */
  readonly missing: readonly string[];
}

/** Pulls every tag of every repository, with all that it refers to. */
export async function pullEverything(client: Asker): Promise<readonly Pulled[]> {
  const { repositories } = await json<{ repositories: string[] }>(client, "/v2/_catalog");
  const pulled: Pulled[] = [];
  for (const name of repositories) {
    const { tags } = await json<{ tags: string[] | null }>(client, `/v2/${name}/tags/list`);
    for (const tag of tags ?? []) {
      const missing: string[] = [];
      const digest = await pull(client, name, tag, missing);
      pulled.push({ reference: `${name}:${tag}`, digest, missing });
    }
  }
  return pulled;
}

async function pull(
  client: Asker,
  name: string,
  reference: string,
  missing: string[],
): Promise<string | null> {
  const answer = await client.ask(`GET /v2/${name}/manifests/${reference}`);
  if (answer.status !== 200) {
    missing.push(`${name}:${reference} ${answer.status}`);
    return null;
  }
  const manifest = await answer.json<Manifest>();
  for (const { digest } of manifest.manifests ?? []) await pull(client, name, digest, missing);
  for (const { digest } of [manifest.config, ...(manifest.layers ?? [])].filter(
    (blob) => blob !== undefined,
  )) {
    const { status } = await client.ask(`GET /v2/${name}/blobs/${digest}`);
    if (status !== 200) missing.push(`${name}@${digest} ${status}`);
  }
  return answer.headers.get("Docker-Content-Digest");
}

async function json<Body>(client: Asker, path: string): Promise<Body> {
  return (await client.ask(`GET ${path}`)).json<Body>();
}
