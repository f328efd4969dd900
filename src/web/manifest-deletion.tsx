import { removeManifest, removeTag, unknownTag } from "../handlers/changes.ts";
import { repositoryFor, tagOrDigestParam } from "../handlers/context.ts";
import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName, Tag } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import { listTagged } from "../storage/manifest-untag.ts";
import { statManifest } from "../storage/manifests.ts";
import type { Store } from "../storage/store.ts";
import { readTagHead } from "../storage/tag-register.ts";
import { Confirmation } from "./confirmation.tsx";
import type { Content, PageRequest, Redirect } from "./content.ts";
import { trailOf } from "./manifest.tsx";
import { paths } from "./paths.ts";
import { artifactKind, type FoundReferrers, referrersOf } from "./referrers-of.ts";
import { count, shortDigest, shown } from "./text.ts";

/** Tags that ever named a manifest, of which it is looked whether they still do. */
const maxTags = 100;
/** Tags and referrers that a page names. */
const maxNamed = 20;

/** GET `/-/repositories/<name>/-/manifests/<tag or digest>/delete`: what would go, and the button. */
export async function showDeletion(request: PageRequest): Promise<Content> {
  const { c } = request;
  const name = repositoryFor(c, "delete");
  const wanted = tagOrDigestParam(c);
  if (wanted === undefined) throw unknownTag(c.req.param("reference") ?? "");
  return "tag" in wanted
    ? tagDeletion(request, name, wanted.tag)
    : manifestDeletion(request, name, wanted.digest);
}

/** POST of the same: deletes. More tags than one request may remove are told of, with the button again. */
export async function postDeletion(request: PageRequest): Promise<Content | Redirect> {
  const { c } = request;
  const name = repositoryFor(c, "delete");
  const wanted = tagOrDigestParam(c);
  if (wanted === undefined) throw unknownTag(c.req.param("reference") ?? "");
  if ("tag" in wanted) {
    await removeTag(c, name, wanted.tag);
    return { location: paths.repository(name) };
  }
  try {
    await removeManifest(c, name, wanted.digest);
  } catch (error) {
    const left = leftOf(error);
    if (left === undefined) throw error;
    return unfinished(request, name, wanted.digest, left);
  }
  return { location: paths.repository(name) };
}

async function tagDeletion({ c, visitor }: PageRequest, name: RepositoryName, tag: Tag): Promise<Content> {
  const { store } = c.var.registry;
  const { target } = await readTagHead(store, name, tag);
  if (target === undefined) throw unknownTag(tag);
  const { tags } = await tagsOn(store, name, target.digest);
  const others = tags.filter((other) => other !== tag);
  const body = (
    <Confirmation
      heading={`Delete the tag ${tag}?`}
      session={visitor.session}
      action={paths.deleteManifest(name, tag)}
      button="Delete tag"
      back={paths.repository(name)}
    >
      <p>
        {`${name}:${tag} will not be there any more. Its manifest `}
        <a class="code" href={paths.manifest(name, target.digest)}>
          {shortDigest(target.digest)}
        </a>
        {" stays, and can be pulled by digest."}
      </p>
      {others.length > 0 && <p>{`These tags name it too, and stay: ${named(others)}.`}</p>}
      <p>The tag keeps its history, from which it can be restored.</p>
    </Confirmation>
  );
  return { title: `Delete ${name}:${tag}`, trail: trailOf(name), body };
}

async function manifestDeletion(
  { c, visitor }: PageRequest,
  name: RepositoryName,
  digest: Digest,
): Promise<Content> {
  const { store } = c.var.registry;
  const [head, { tags, more }, referrers] = await Promise.all([
    statManifest(store, name, digest),
    tagsOn(store, name, digest),
    referrersOf(store, name, digest),
  ]);
  if (head === undefined) throw new RegistryError("MANIFEST_UNKNOWN");
  const body = (
    <Confirmation
      heading={`Delete the manifest ${shortDigest(digest)}?`}
      session={visitor.session}
      action={paths.deleteManifest(name, digest)}
      button="Delete manifest"
      back={paths.manifest(name, digest)}
    >
      <p>
        <code>{digest}</code>
      </p>
      <p>It cannot be pulled any more, neither by digest nor by a tag. This cannot be undone.</p>
      <p>
        {tags.length === 0 && !more
          ? "No tag names it."
          : `These tags go with it: ${named(tags)}${more ? ", and possibly more" : ""}.`}
      </p>
      <ReferrersLeft name={name} found={referrers} />
      <p>
        An index that lists it will lack this platform. Layers go with a later garbage collection, if nothing
        else needs them.
      </p>
    </Confirmation>
  );
  return { title: `Delete ${shortDigest(digest)}`, trail: trailOf(name), body };
}

function ReferrersLeft({ name, found }: { readonly name: RepositoryName; readonly found: FoundReferrers }) {
  const { descriptors, more } = found;
  if (descriptors.length === 0 && !more) return <p>Nothing refers to it.</p>;
  return (
    <>
      <p>{`What refers to it stays, without anything to refer to: ${count(descriptors.length, "referrer")}${more ? " or more" : ""}.`}</p>
      <ul class="plain">
        {descriptors.slice(0, maxNamed).map(({ digest, artifactType = "" }) => (
          <li>
            {artifactKind(artifactType)}{" "}
            <a class="code" href={paths.manifest(name, digest)}>
              {shortDigest(digest)}
            </a>{" "}
            <code>{shown(artifactType)}</code>
          </li>
        ))}
      </ul>
    </>
  );
}

function unfinished({ visitor }: PageRequest, name: RepositoryName, digest: Digest, left: number): Content {
  const body = (
    <Confirmation
      heading="The manifest is deleted; its tags are being removed"
      session={visitor.session}
      action={paths.deleteManifest(name, digest)}
      button="Go on"
      back={paths.repository(name)}
      goesOn
    >
      <p role="status">{`${count(left, "tag")} left, which name nothing any more.`}</p>
    </Confirmation>
  );
  return { title: "Deleting", trail: trailOf(name), body };
}

/** The tags that name a manifest now, of the first 100 that ever did. */
async function tagsOn(store: Store, name: RepositoryName, digest: Digest) {
  const listed = await listTagged(store, name, digest, undefined);
  const candidates = listed.tags.slice(0, maxTags);
  const heads = await mapBounded(candidates, store.concurrency, (tag) => readTagHead(store, name, tag));
  const tags = candidates.filter((_, index) => heads[index]?.target?.digest === digest);
  return { tags, more: listed.next !== undefined || listed.tags.length > maxTags };
}

/** How many tags an unfinished delete has left; undefined for another error. */
function leftOf(error: unknown): number | undefined {
  if (!(error instanceof RegistryError) || error.status !== 503) return undefined;
  const detail = error.entries[0]?.detail as { readonly left?: unknown } | undefined;
  return typeof detail?.left === "number" ? detail.left : undefined;
}

function named(tags: readonly Tag[]): string {
  const rest = tags.length - maxNamed;
  return tags.slice(0, maxNamed).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
