import type { Client } from "../support/registry.ts";
import { type Answer, answerOf } from "./answer.ts";
import { broken, types } from "./content.ts";
import { blobAt, manifestAt } from "./registry-model.ts";
import type { Condition, Reference, Step } from "./step.ts";

type Of<Kind extends Step["kind"]> = Extract<Step, { readonly kind: Kind }>;

/** Sends the requests of a step; the answer to the last one. */
export async function perform(client: Client, step: Step): Promise<Answer> {
  const method = "method" in step ? step.method : "GET";
  return answerOf(await send(client, step), method);
}

function send(client: Client, step: Step): Promise<Response> {
  switch (step.kind) {
    case "push blob":
      return pushBlob(client, step);
    case "blob":
      return client.ask(`${step.method} /v2/${step.repository}/blobs/${blobAt(step.blob).sha256}`);
    case "mount": {
      const from = step.from === undefined ? "" : `&from=${encodeURIComponent(step.from)}`;
      const mount = `mount=${blobAt(step.blob).sha256}${from}`;
      return client.ask(`POST /v2/${step.repository}/blobs/uploads/?${mount}`);
    }
    case "push manifest":
      return pushManifest(client, step);
    case "push broken":
      return client.ask(`PUT /v2/${step.repository}/manifests/${step.tag}`, {
        headers: { "Content-Type": types.ociManifest },
        body: broken[step.body]?.bytes ?? null,
      });
    case "pull": {
      const { ifNoneMatch, accept } = step;
      const headers = new Headers();
      if (accept !== undefined) headers.set("Accept", accept);
      if (ifNoneMatch !== undefined) headers.set("If-None-Match", tagOf(ifNoneMatch));
      return client.ask(`${step.method} /v2/${step.repository}/manifests/${textOf(step.reference)}`, {
        headers,
      });
    }
    case "delete": {
      const headers = conditionHeaders(step.condition);
      return client.ask(`DELETE /v2/${step.repository}/manifests/${textOf(step.reference)}`, { headers });
    }
    case "tags":
      return client.ask(`GET /v2/${step.repository}/tags/list${pageQuery(step)}`);
    case "catalog":
      return client.ask(`GET /v2/_catalog${pageQuery(step)}`);
    case "referrers": {
      const filter = step.artifactType === undefined ? "" : `?artifactType=${step.artifactType}`;
      return client.ask(`GET /v2/${step.repository}/referrers/${manifestAt(step.subject).sha256}${filter}`);
    }
    case "invalid":
      return client.ask(step.request);
  }
}

async function pushBlob(client: Client, step: Of<"push blob">): Promise<Response> {
  const { repository, how, algorithm } = step;
  const content = blobAt(step.blob);
  const uploads = `/v2/${repository}/blobs/uploads/`;
  const digest = how === "wrong digest" ? `sha256:${"1".repeat(64)}` : content[algorithm];
  const body = content.bytes;
  if (how === "POST") return client.ask(`POST ${uploads}?digest=${digest}`, { body });
  const opened = await client.ask(`POST ${uploads}`);
  const patched =
    how === "PATCH" ? await client.ask(`PATCH ${opened.headers.get("Location")}`, { body }) : opened;
  const location = `${patched.headers.get("Location")}&digest=${digest}`;
  return client.ask(`PUT ${location}`, how === "PATCH" ? {} : { body });
}

function pushManifest(client: Client, step: Of<"push manifest">): Promise<Response> {
  const { by, contentType, condition, tags } = step;
  const content = manifestAt(step.manifest);
  const headers = conditionHeaders(condition);
  if (contentType !== "none") {
    const isIndex = content.type === types.ociIndex || content.type === types.dockerList;
    headers.set(
      "Content-Type",
      contentType === "its own" ? content.type : isIndex ? types.ociManifest : types.ociIndex,
    );
  }
  const isByDigest = by === "sha256" || by === "sha512";
  const reference = by === "wrong digest" ? `sha256:${"1".repeat(64)}` : isByDigest ? content[by] : by;
  const query = isByDigest && tags.length > 0 ? `?${tags.map((tag) => `tag=${tag}`).join("&")}` : "";
  const request = `PUT /v2/${step.repository}/manifests/${reference}${query}`;
  return client.ask(request, { headers, body: content.bytes });
}

function conditionHeaders(condition: Condition | undefined): Headers {
  return new Headers(condition === undefined ? {} : { [condition.header]: tagOf(condition.manifest) });
}

function tagOf(manifest: number | "*"): string {
  return manifest === "*" ? "*" : `"${manifestAt(manifest).sha256}"`;
}

function textOf(reference: Reference): string {
  return typeof reference === "string" ? reference : manifestAt(reference.manifest)[reference.algorithm];
}

function pageQuery({
  n,
  last,
}: {
  readonly n: string | undefined;
  readonly last: string | undefined;
}): string {
  const query = new URLSearchParams();
  if (n !== undefined) query.set("n", n);
  if (last !== undefined) query.set("last", last);
  return query.size === 0 ? "" : `?${query}`;
}
