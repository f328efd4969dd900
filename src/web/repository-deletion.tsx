import { removeRepositoryStep } from "../handlers/changes.ts";
import { repositoryFor } from "../handlers/context.ts";
import { RegistryError } from "../oci/error.ts";
import { isInCatalog } from "../storage/catalog.ts";
import { countManifests } from "../storage/repository-use.ts";
import { listTags } from "../storage/tag-list.ts";
import { Confirmation } from "./confirmation.tsx";
import type { Content, PageRequest } from "./content.ts";
import { trailOf } from "./manifest.tsx";
import { paths } from "./paths.ts";
import { count } from "./text.ts";

/** Tags that are counted: one list on R2. */
const maxCounted = 1000;
/** Tags that the page names. */
const maxNamed = 20;

/** GET `/-/repositories/<name>/-/delete`: what would go, and the button. */
export async function showRepositoryDeletion({ c, visitor }: PageRequest): Promise<Content> {
  const name = repositoryFor(c, "delete");
  const { store } = c.var.registry;
  const { tags, more, known } = await listTags(store, name, maxCounted, undefined);
  if (!known && !(await isInCatalog(store, name))) throw new RegistryError("NAME_UNKNOWN");
  const { manifests, more: moreManifests } = await countManifests(store, name);
  const names = tags.slice(0, maxNamed).map(({ tag }) => tag);
  const body = (
    <Confirmation
      heading={`Delete everything in ${name}?`}
      session={visitor.session}
      action={paths.deleteRepository(name)}
      button="Delete repository"
      back={paths.repository(name)}
    >
      <p>
        {`${count(tags.length, "tag")}${more ? " or more" : ""} and ${count(manifests, "manifest")}${moreManifests ? " or more" : ""}, with signatures and all else that refers to them, will go. This cannot be undone.`}
      </p>
      {names.length > 0 && <p>{`Tags: ${names.join(", ")}${tags.length > maxNamed ? ", …" : ""}`}</p>}
      <p>
        Layers go with a later garbage collection, as far as no other repository needs them, and the empty
        repository with one after that.
      </p>
    </Confirmation>
  );
  return { title: `Delete ${name}`, trail: trailOf(name), body };
}

/** POST of the same: one bounded step, and the button again until nothing is left. */
export async function postRepositoryDeletion({ c, visitor }: PageRequest): Promise<Content> {
  const name = repositoryFor(c, "delete");
  const { manifests, tags, done } = await removeRepositoryStep(c, name);
  const body = done ? (
    <section class="card">
      <h1>{`${name} is empty`}</h1>
      <p role="status">
        Nothing can be pulled from it any more. Garbage collection frees its storage, and takes it off the
        list of repositories once the traces of its manifests are old enough.
      </p>
      <p>
        <a href={paths.home}>Repositories</a>
      </p>
    </section>
  ) : (
    <Confirmation
      heading={`Deleting ${name}`}
      session={visitor.session}
      action={paths.deleteRepository(name)}
      button="Go on"
      back={paths.repository(name)}
      goesOn
    >
      <p role="status">
        {`${count(manifests, "manifest")} and ${count(tags, "tag")} were deleted by this step, and there are more.`}
      </p>
    </Confirmation>
  );
  return { title: `Delete ${name}`, trail: trailOf(name), body };
}
