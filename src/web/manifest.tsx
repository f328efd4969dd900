import type { Child } from "hono/jsx";
import { nearContent, type RegistryContext, repositoryFor, tagOrDigestParam } from "../handlers/context.ts";
import { serviceOf } from "../handlers/location.ts";
import { RegistryError } from "../oci/error.ts";
import { type Manifest, manifestOf } from "../oci/manifest.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import type { StoredManifest } from "../storage/manifests.ts";
import type { NearContent } from "../storage/near-content.ts";
import type { Content, Crumb, PageRequest } from "./content.ts";
import { Command, Pairs } from "./elements.tsx";
import { ImageView, imageViewOf } from "./image.tsx";
import { isImageConfig } from "./image-config.ts";
import { IndexView, indexViewOf } from "./index-view.tsx";
import { paths } from "./paths.ts";
import { Referrers } from "./referrers.tsx";
import { referrersOf } from "./referrers-of.ts";
import { shortDigest, shown, sizeText } from "./text.ts";
import { offers } from "./visitor.ts";

/** GET `/-/repositories/<name>/-/manifests/<tag or digest>`: an image, an index, or another artifact. */
export async function showManifest({ c }: PageRequest): Promise<Content> {
  const name = repositoryFor(c, "pull");
  const near = nearContent(c);
  const { stored, tag } = await find(c, near, name);
  const manifest = manifestOf(stored.bytes);
  const [referrers, view] = await Promise.all([
    referrersOf(near.store, name, stored.digest),
    manifest && viewOf(near, name, stored, manifest),
  ]);
  const title = tag === undefined ? shortDigest(stored.digest) : tag;
  const reference = tag ?? stored.digest;
  const puller = isArtifact(manifest) ? "oras pull" : "docker pull";
  const body = (
    <>
      <div class="heading">
        <h1>{title}</h1>
        <span class="actions">
          {tag !== undefined && <a href={paths.history(name, tag)}>History</a>}
          {offers(c, name, "delete") && (
            <a class="danger" href={paths.deleteManifest(name, reference)}>
              {tag === undefined ? "Delete manifest" : "Delete tag"}
            </a>
          )}
        </span>
      </div>
      {tag !== undefined && <Command text={`${puller} ${serviceOf(c)}/${name}:${tag}`} />}
      <Command text={`${puller} ${serviceOf(c)}/${name}@${stored.digest}`} />
      <Facts name={name} stored={stored} manifest={manifest} linked={tag !== undefined} />
      {view ?? <p class="empty">These bytes are no manifest that can be shown.</p>}
      <Referrers name={name} found={referrers} />
      <Pairs heading="Annotations" pairs={Object.entries(manifest?.annotations ?? {})} />
    </>
  );
  return { title: `${name}:${title}`, trail: trailOf(name), body };
}

/** The pages above one of a manifest or a tag. */
export function trailOf(name: RepositoryName): readonly Crumb[] {
  return [
    ["Repositories", paths.home],
    [name, paths.repository(name)],
  ];
}

/** Whether docker has no use for a manifest: it is neither an index nor has an image's configuration. */
function isArtifact(manifest: Manifest | undefined): boolean {
  if (manifest?.kind !== "image") return false;
  return manifest.config === undefined || !isImageConfig(manifest.config);
}

async function find(
  c: RegistryContext,
  near: NearContent,
  name: RepositoryName,
): Promise<{ readonly stored: StoredManifest; readonly tag: Tag | undefined }> {
  const wanted = tagOrDigestParam(c);
  const tag = wanted !== undefined && "tag" in wanted ? wanted.tag : undefined;
  const stored =
    wanted !== undefined && "digest" in wanted
      ? await near.manifest(name, wanted.digest)
      : tag && (await c.var.registry.tagReader.read(near, name, tag));
  if (stored === undefined) throw new RegistryError("MANIFEST_UNKNOWN");
  return { stored, tag };
}

async function viewOf(
  near: NearContent,
  name: RepositoryName,
  { digest }: StoredManifest,
  manifest: Manifest,
): Promise<Child> {
  if (manifest.kind === "index")
    return <IndexView name={name} view={await indexViewOf(near, name, manifest)} />;
  return <ImageView view={await imageViewOf(near, name, digest, manifest)} />;
}

interface FactsProperties {
  readonly name: RepositoryName;
  readonly stored: StoredManifest;
  readonly manifest: Manifest | undefined;
  /** Whether the digest leads to a page of its own. */
  readonly linked: boolean;
}

function Facts({ name, stored, manifest, linked }: FactsProperties) {
  const { digest, mediaType, size } = stored;
  const subject = manifest?.subject?.digest;
  return (
    <dl class="facts">
      <div>
        <dt>Digest</dt>
        <dd>
          {linked ? (
            <a class="code" href={paths.manifest(name, digest)}>
              {digest}
            </a>
          ) : (
            <code>{digest}</code>
          )}
        </dd>
      </div>
      <div>
        <dt>Media type</dt>
        <dd>
          <code>{shown(mediaType)}</code>
        </dd>
      </div>
      {manifest?.artifactType !== undefined && (
        <div>
          <dt>Artifact type</dt>
          <dd>
            <code>{shown(manifest.artifactType)}</code>
          </dd>
        </div>
      )}
      <div>
        <dt>Manifest size</dt>
        <dd>{sizeText(size)}</dd>
      </div>
      {subject !== undefined && (
        <div>
          <dt>Refers to</dt>
          <dd>
            <a class="code" href={paths.manifest(name, subject)}>
              {shortDigest(subject)}
            </a>
          </dd>
        </div>
      )}
    </dl>
  );
}
