import type { Child } from "hono/jsx";
import { restore, unknownTag } from "../handlers/changes.ts";
import { type RegistryContext, repositoryFor } from "../handlers/context.ts";
import { parseDigest } from "../oci/digest.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { readTag, type TagEvent } from "../storage/tag-register.ts";
import type { Content, PageRequest, Redirect } from "./content.ts";
import { Time } from "./elements.tsx";
import { Form } from "./form-element.tsx";
import { trailOf } from "./manifest.tsx";
import { paths } from "./paths.ts";
import { shortDigest } from "./text.ts";
import { offers } from "./visitor.ts";

/** GET `/-/repositories/<name>/-/tags/<tag>/history`: what a tag named, with the way back. */
export async function showHistory({ c, visitor }: PageRequest): Promise<Content> {
  const name = repositoryFor(c, "pull");
  const tag = tagParam(c);
  const state = await readTag(c.var.registry.store, name, tag);
  if (state.version === undefined) throw unknownTag(tag);
  const current = state.target?.digest;
  const mayRestore = offers(c, name, "push");
  const body = (
    <>
      <h1>{`History of ${tag}`}</h1>
      {current === undefined && (
        <p class="notice">
          The tag was removed: <Time at={state.at} />.
        </p>
      )}
      <div class="table">
        <table>
          <caption>The last 100 values, newest first. Their manifests may have been deleted since.</caption>
          <thead>
            <tr>
              <th scope="col">Set</th>
              <th scope="col">Digest</th>
              {mayRestore && <th scope="col">Way back</th>}
            </tr>
          </thead>
          <tbody>
            {state.history.map((event, index) => (
              <Row
                name={name}
                event={event}
                current={event.digest === current}
                first={index === 0}
                restore={
                  mayRestore && (
                    <Form session={visitor.session} action={paths.restore(name, tag)}>
                      <input type="hidden" name="digest" value={event.digest} />
                      <button type="submit" class="quiet" aria-label={`Restore ${shortDigest(event.digest)}`}>
                        Restore
                      </button>
                    </Form>
                  )
                }
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
  return {
    title: `History of ${name}:${tag}`,
    trail: [...trailOf(name), [tag, paths.manifest(name, tag)]],
    body,
  };
}

interface RowProperties {
  readonly name: RepositoryName;
  readonly event: TagEvent;
  /** Whether the tag names this digest now. */
  readonly current: boolean;
  readonly first: boolean;
  /** The form that leads back to it; false for who may not. */
  readonly restore: Child;
}

function Row({ name, event, current, first, restore }: RowProperties) {
  return (
    <tr>
      <td>
        <Time at={event.at} />
      </td>
      <td>
        <a class="code" href={paths.manifest(name, event.digest)} title={event.digest}>
          {shortDigest(event.digest)}
        </a>{" "}
        {current && first && <span class="badge">current</span>}
      </td>
      {restore !== false && <td>{!current && restore}</td>}
    </tr>
  );
}

/** POST `/-/repositories/<name>/-/tags/<tag>/restore`: points the tag back at `digest`. */
export async function postRestore({ c, form }: PageRequest): Promise<Redirect> {
  const name = repositoryFor(c, "push");
  const tag = tagParam(c);
  await restore(c, name, { tag, digest: parseDigest(form.get("digest") ?? "") });
  return { location: paths.history(name, tag) };
}

function tagParam(c: RegistryContext): Tag {
  const text = c.req.param("tag") ?? "";
  const tag = tryParseTag(text);
  if (tag === undefined) throw unknownTag(text);
  return tag;
}
