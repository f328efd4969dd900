import type { Answer } from "./answer.ts";
import {
  type Algorithm,
  blobs,
  broken,
  type Content,
  type ManifestContent,
  manifests,
  types,
} from "./content.ts";
import { accepts, type Condition, type Reference, type Step } from "./step.ts";

type Of<Kind extends Step["kind"]> = Extract<Step, { readonly kind: Kind }>;

interface Repository {
  readonly blobs: Map<string, Content>;
  readonly manifests: Map<string, ManifestContent>;
  readonly tags: Map<string, string>;
  /** Whether a manifest was ever pushed. */
  known: boolean;
}

export const origin = "https://registry.example";

/** A registry in a few maps, one request after another: what Skerry must answer. */
export class RegistryModel {
  readonly #repositories = new Map<string, Repository>();

  answer(step: Step): Answer {
    switch (step.kind) {
      case "push blob":
        return this.#pushBlob(step);
      case "blob":
        return this.#blob(step);
      case "mount":
        return this.#mount(step);
      case "push manifest":
        return this.#pushManifest(step);
      case "push broken":
        return error(
          400,
          ...(broken[step.body]?.codes.map((code) =>
            code === "MANIFEST_BLOB_UNKNOWN" ? `${code} x` : code,
          ) ?? []),
        );
      case "pull":
        return this.#pull(step);
      case "delete":
        return this.#delete(step);
      case "tags":
        return this.#tags(step);
      case "catalog":
        return this.#catalog(step);
      case "referrers":
        return this.#referrers(step);
      case "invalid":
        return step.request.startsWith("PATCH ")
          ? { ...error(step.status, step.code), headers: { allow: "DELETE, GET, HEAD, PUT" } }
          : error(step.status, step.code);
    }
  }

  #repository(name: string): Repository {
    let repository = this.#repositories.get(name);
    if (repository === undefined) {
      repository = { blobs: new Map(), manifests: new Map(), tags: new Map(), known: false };
      this.#repositories.set(name, repository);
    }
    return repository;
  }

  #pushBlob({ repository, blob, algorithm, how }: Of<"push blob">): Answer {
    if (how === "wrong digest") return error(400, "DIGEST_INVALID");
    const content = blobAt(blob);
    const digest = content[algorithm];
    this.#repository(repository).blobs.set(digest, content);
    return success(201, { "docker-content-digest": digest });
  }

  #blob({ method, repository, blob }: Of<"blob">): Answer {
    const held = this.#repository(repository).blobs;
    const content = blobAt(blob);
    const digest = content.sha256;
    if (!held.has(digest)) return method === "HEAD" ? error(404) : error(404, "BLOB_UNKNOWN");
    if (method === "DELETE") {
      held.delete(digest);
      return success(202);
    }
    const headers = { "content-type": "application/octet-stream", ...identity(digest) };
    return success(200, headers, method === "GET" ? textOf(content) : "");
  }

  #mount({ repository, from, blob }: Of<"mount">): Answer {
    const content = blobAt(blob);
    const digest = content.sha256;
    const sources = from === undefined ? [...this.#repositories.values()] : [this.#repository(from)];
    if (!sources.some((source) => source.blobs.has(digest))) return success(202);
    this.#repository(repository).blobs.set(digest, content);
    return success(201, { "docker-content-digest": digest });
  }

  #pushManifest(step: Of<"push manifest">): Answer {
    const { by, contentType, condition } = step;
    const repository = this.#repository(step.repository);
    const content = manifestAt(step.manifest);
    if (contentType === "another") return error(400, "MANIFEST_INVALID");
    if (by === "wrong digest") return error(400, "DIGEST_INVALID");
    const isByDigest = by === "sha256" || by === "sha512";
    const digest = isByDigest ? content[by] : content.sha256;
    const present = repository.manifests.has(digest) ? digest : undefined;
    if (isByDigest && !holds(condition, present)) return error(412, "DENIED");
    const missing = [
      ...content.blobs.filter((each) => !repository.blobs.has(each)),
      ...content.children.filter((each) => !repository.manifests.has(each)),
    ];
    if (missing.length > 0) return error(400, ...missing.map((each) => `MANIFEST_BLOB_UNKNOWN ${each}`));
    const named = repository.tags.get(by);
    if (!isByDigest && !holds(condition, named)) {
      return { ...error(412, "DENIED"), headers: named === undefined ? {} : { etag: `"${named}"` } };
    }
    const tags = isByDigest ? [...new Set(step.tags)] : [by];
    repository.manifests.set(digest, content);
    repository.known = true;
    for (const tag of tags) repository.tags.set(tag, digest);
    return success(201, {
      ...identity(digest),
      ...(content.subject !== undefined && { "oci-subject": content.subject }),
      ...(isByDigest && tags.length > 0 && { "oci-tag": tags.join(", ") }),
    });
  }

  #pull({ method, repository, reference, accept, ifNoneMatch }: Of<"pull">): Answer {
    const { manifests: held, tags } = this.#repository(repository);
    const unknown = method === "HEAD" ? error(404) : error(404, "MANIFEST_UNKNOWN");
    let digest = typeof reference === "string" ? tags.get(reference) : digestOf(reference);
    let content = digest === undefined ? undefined : held.get(digest);
    const taken = accept === undefined ? undefined : accepts[accept];
    if (content?.type === types.dockerList && typeof reference === "string" && isOldClient(accept)) {
      digest = content.amd64;
      content = digest === undefined ? undefined : held.get(digest);
      if (content !== undefined && taken?.includes(content.type) !== true) return unknown;
    }
    if (digest === undefined || content === undefined) return unknown;
    const isOci = content.type === types.ociManifest || content.type === types.ociIndex;
    if (isOci && taken !== undefined && !taken.includes(content.type)) return unknown;
    const headers = { "content-type": content.type, ...identity(digest) };
    const match = typeof ifNoneMatch === "number" ? manifestAt(ifNoneMatch).sha256 : ifNoneMatch;
    if (match === "*" || match === digest) return success(304, headers);
    return success(200, headers, method === "GET" ? textOf(content) : "");
  }

  #delete({ repository, reference, condition }: Of<"delete">): Answer {
    const { manifests: held, tags } = this.#repository(repository);
    if (typeof reference === "string") {
      const named = tags.get(reference);
      if (!holds(condition, named)) {
        return { ...error(412, "DENIED"), headers: named === undefined ? {} : { etag: `"${named}"` } };
      }
      return tags.delete(reference) ? success(202) : error(404, "MANIFEST_UNKNOWN");
    }
    const digest = digestOf(reference);
    if (!holds(condition, held.has(digest) ? digest : undefined)) return error(412, "DENIED");
    if (!held.delete(digest)) return error(404, "MANIFEST_UNKNOWN");
    for (const [tag, named] of [...tags]) if (named === digest) tags.delete(tag);
    return success(202);
  }

  #tags({ repository, n, last }: Of<"tags">): Answer {
    if (n === "-1" || n === "x") return error(400, "UNSUPPORTED");
    const { tags, known } = this.#repository(repository);
    if (!known) return error(404, "NAME_UNKNOWN");
    const page = pageOf([...tags.keys()], n, last);
    const headers = { "content-type": "application/json", ...page.link(`/v2/${repository}/tags/list`) };
    return success(200, headers, { name: repository, tags: page.items });
  }

  #catalog({ n, last }: Of<"catalog">): Answer {
    if (n === "-1" || n === "x") return error(400, "UNSUPPORTED");
    const names = [...this.#repositories].filter(([, { known }]) => known).map(([name]) => name);
    const page = pageOf(names, n, last);
    const headers = { "content-type": "application/json", ...page.link("/v2/_catalog") };
    return success(200, headers, { repositories: page.items });
  }

  #referrers({ repository, subject, artifactType }: Of<"referrers">): Answer {
    const { sha256 } = manifestAt(subject);
    const listed = [...this.#repository(repository).manifests]
      .filter(([, content]) => content.subject === sha256)
      .filter(([, content]) => artifactType === undefined || content.artifactType === artifactType)
      .sort(([one], [two]) => (one < two ? -1 : 1))
      .map(([digest, { type, bytes, artifactType: own, annotations }]) => ({
        mediaType: type,
        digest,
        size: bytes.byteLength,
        ...(own !== undefined && { artifactType: own }),
        ...(annotations !== undefined && { annotations }),
      }));
    const filters = artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" };
    const index = { schemaVersion: 2, mediaType: types.ociIndex, manifests: listed };
    return success(200, { "content-type": types.ociIndex, ...filters }, index);
  }
}

/** Whether a condition holds for what is there: the digest of it, or nothing. */
function holds(condition: Condition | undefined, present: string | undefined): boolean {
  if (condition === undefined) return true;
  const { header, manifest } = condition;
  const matches = present !== undefined && (manifest === "*" || manifestAt(manifest).sha256 === present);
  return header === "If-Match" ? matches : !matches;
}

/** Accept names schema 2, and not the manifest list. */
function isOldClient(accept: string | undefined): boolean {
  return accept?.includes(types.dockerManifest) === true && !accept.includes(types.dockerList);
}

function pageOf(all: readonly string[], n: string | undefined, last: string | undefined) {
  const rest = [...all].sort().filter((item) => !last || item > last);
  const items = n === undefined ? rest : rest.slice(0, Number(n));
  const end = items.at(-1);
  const hasMore = items.length < rest.length && end !== undefined;
  return {
    items,
    link: (path: string): Record<string, string> =>
      hasMore ? { link: `<${path}?last=${encodeURIComponent(end)}&n=${n}>; rel="next"` } : {},
  };
}

function success(status: number, headers: Record<string, string> = {}, body: unknown = ""): Answer {
  return { status, errors: [], headers, body };
}

function error(status: number, ...errors: string[]): Answer {
  return { status, errors, headers: {}, body: "" };
}

function identity(digest: string): Record<string, string> {
  return { "docker-content-digest": digest, etag: `"${digest}"` };
}

function textOf({ bytes }: Content): string {
  return new TextDecoder().decode(bytes);
}

function digestOf({ manifest, algorithm }: Exclude<Reference, string>): string {
  return manifestAt(manifest)[algorithm];
}

export function blobAt(index: number): Content {
  const content = blobs[index];
  if (content === undefined) throw new Error(`there is no blob ${index}`);
  return content;
}

export function manifestAt(index: number): ManifestContent {
  const content = manifests[index];
  if (content === undefined) throw new Error(`there is no manifest ${index}`);
  return content;
}

export type { Algorithm };
