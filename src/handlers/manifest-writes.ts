import { tagSetEvent } from "../events/tag-event.ts";
import { ruleFor } from "../maintenance/retention/rules.ts";
import { algorithmOf, type Digest, digestOf } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { maxManifestSize, parseManifest } from "../oci/manifest.ts";
import { parseContentType } from "../oci/media-type.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { asOptional } from "../oci/reference.ts";
import { referrerOf } from "../oci/referrer.ts";
import { checkClass } from "../oci/repository-class.ts";
import { putManifest as storeManifest } from "../storage/manifest-put.ts";
import { statManifest } from "../storage/manifests.ts";
import { matchesTag } from "../storage/tag-pattern.ts";
import type { TagCondition, TagRequest } from "../storage/tag-set.ts";
import { readLimited } from "./body.ts";
import { removeManifest, removeTag } from "./changes.ts";
import { conditionOf } from "./condition.ts";
import {
  announce,
  type RegistryContext,
  repositoryFor,
  seeThrough,
  type TagOrDigest,
  tagOrDigestParam,
} from "./context.ts";
import { absoluteUrl, manifestPath } from "./location.ts";

/** Tags that one PUT by digest may set; the specification asks for at least ten. */
const maxTagParams = 50;

/**
 * PUT `/v2/<name>/manifests/<tag or digest>` (distribution-spec "Pushing Manifests", A50 to A69): checks the
 * manifest and all that it refers to, stores its exact bytes and sets its tags.
 */
export async function putManifest(c: RegistryContext): Promise<Response> {
  const { registry } = c.var;
  const name = repositoryFor(c, "push");
  const wanted = tagOrDigestParam(c);
  if (wanted === undefined) {
    throw new RegistryError("MANIFEST_INVALID", { message: "the reference is neither a tag nor a digest" });
  }
  const tags = tagsOf(c, wanted);
  const bytes = await readLimited(c.req.raw, maxManifestSize);
  if (bytes === undefined) {
    throw new RegistryError("MANIFEST_INVALID", {
      status: 413,
      message: "the manifest is larger than 4 MiB",
      detail: { limit: maxManifestSize },
    });
  }
  const { maxReferences, missingReferences, urls, repositoryClasses } = registry.config;
  const contentType = parseContentType(c.req.header("Content-Type") ?? null);
  const manifest = parseManifest(bytes, contentType, { maxReferences, urls });
  const digest = await digestOf(bytes, "digest" in wanted ? algorithmOf(wanted.digest) : "sha256");
  if ("digest" in wanted && wanted.digest !== digest) {
    throw new RegistryError("DIGEST_INVALID", { detail: { expected: wanted.digest, got: digest } });
  }
  checkClass(manifest, repositoryClasses, c.var.access.classes(name));
  const condition = conditionOf(c);
  if ("digest" in wanted) await refuseUnless(c, name, digest, condition);

  const target = { digest, mediaType: manifest.mediaType, size: bytes.byteLength };
  await seeThrough(
    c,
    storeManifest(registry.store, {
      name,
      digest,
      bytes,
      mediaType: manifest.mediaType,
      references: missingReferences === "accept" ? manifest.references.map(asOptional) : manifest.references,
      referrer: referrerOf(manifest, digest, bytes.byteLength),
      mayBeMarked: ruleFor(registry.config.retention, name)?.untagged !== undefined,
      tags: tags.map((tag) => tagRequest(c, name, tag, "tag" in wanted ? condition : undefined)),
      onTagSet: (tag, previous) => announce(c, ...tagSetEvent(name, tag, target, previous)),
    }),
  );
  for (const tag of tags.length > 0 ? tags : [undefined]) {
    announce(c, { type: "push", kind: "manifest", repository: name, ...target, tag });
  }
  const headers = new Headers({
    Location: absoluteUrl(c, manifestPath(name, digest)),
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    "Content-Length": "0",
  });
  if (manifest.subject !== undefined) headers.set("OCI-Subject", manifest.subject.digest);
  if ("digest" in wanted && tags.length > 0) headers.set("OCI-Tag", tags.join(", "));
  return new Response(null, { status: 201, headers });
}

/**
 * DELETE `/v2/<name>/manifests/<tag or digest>` (distribution-spec "Content Management", A80 to A97 with M1 to
 * M6): by tag only the tag goes, by digest the manifest with every tag on it.
 */
export async function deleteManifest(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "delete");
  const wanted = tagOrDigestParam(c);
  if (wanted === undefined) {
    throw new RegistryError("MANIFEST_UNKNOWN", { detail: `unknown tag=${c.req.param("reference")}` });
  }
  const condition = conditionOf(c);
  if ("tag" in wanted) {
    await removeTag(c, name, wanted.tag, condition);
  } else {
    await refuseUnless(c, name, wanted.digest, condition);
    await removeManifest(c, name, wanted.digest);
  }
  return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
}

/** The tags that a PUT sets: that of the route, or those of `?tag=` beside a digest (requirements 81 to 84). */
function tagsOf(c: RegistryContext, wanted: TagOrDigest): readonly Tag[] {
  if ("tag" in wanted) return [wanted.tag];
  const params = c.req.queries("tag") ?? [];
  if (params.length > maxTagParams) {
    throw new RegistryError("MANIFEST_INVALID", {
      status: 414,
      message: `at most ${maxTagParams} tags in one request`,
    });
  }
  const tags = params.map((text) => {
    const tag = tryParseTag(text);
    if (tag === undefined) {
      throw new RegistryError("MANIFEST_INVALID", { message: "invalid tag", detail: text.slice(0, 200) });
    }
    return tag;
  });
  return [...new Set(tags)];
}

function tagRequest(
  c: RegistryContext,
  name: RepositoryName,
  tag: Tag,
  condition: TagCondition | undefined,
): TagRequest {
  return { tag, condition, immutable: matchesTag(c.var.registry.config.immutableTags, name, tag) };
}

/** The condition of a write by digest, on whether that manifest is there. */
async function refuseUnless(
  c: RegistryContext,
  name: RepositoryName,
  digest: Digest,
  condition: TagCondition | undefined,
): Promise<void> {
  if (condition === undefined) return;
  const head = await statManifest(c.var.registry.store, name, digest);
  if (!condition(head?.digest, undefined)) {
    throw new RegistryError("DENIED", { status: 412, message: "the condition of the request does not hold" });
  }
}
