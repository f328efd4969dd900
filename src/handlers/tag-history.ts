import { type Digest, parseDigest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import { tryParseJsonObject } from "../oci/json.ts";
import { type RepositoryName, type Tag, tryParseTag } from "../oci/name.ts";
import { isInCatalog } from "../storage/catalog.ts";
import { type ListedTag, listTags } from "../storage/tag-list.ts";
import { readTag, type TagState } from "../storage/tag-register.ts";
import { malformed } from "./admin.ts";
import { readLimited } from "./body.ts";
import { restore, unknownTag } from "./changes.ts";
import { conditionOf } from "./condition.ts";
import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonPage, pageParams } from "./paging.ts";

/** Tags on a page at most, and when the client does not say how many. */
const pageSize = 1000;
/** Bytes that the body of a restore may have. */
const maxBody = 4096;

/**
 * GET `/v2/<name>/_skerry/tags` (docs/api.md): tags with digest, media type, size and time, by name or, with
 * `sort=time`, newest first.
 */
export async function getDatedTags(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const { n, last } = pageParams(c);
  const limit = Math.min(Math.max(n ?? pageSize, 1), pageSize);
  const sort = c.req.query("sort") ?? "name";
  if (sort !== "name" && sort !== "time") {
    throw new RegistryError("UNSUPPORTED", { status: 400, message: "sort is name or time" });
  }
  const page = sort === "time" ? await newest(c, name, limit, last) : await byName(c, name, limit, last);
  const tags = n === 0 ? [] : page.tags;
  const end = tags.at(-1);
  const next = page.more && end !== undefined ? (sort === "time" ? timeCursor(end) : end.tag) : undefined;
  const query = sort === "time" ? { sort } : {};
  return jsonPage(c, { name, tags: tags.map(describe) }, next ? { n: limit, last: next, query } : undefined);
}

/** GET `/v2/<name>/_skerry/tags/<tag>/history` (docs/api.md): what the tag named, newest first. */
export async function getTagHistory(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "pull");
  const tag = tagParam(c);
  const state = await readTag(c.var.registry.store, name, tag);
  if (state.version === undefined) throw unknownTag(tag);
  return jsonPage(c, historyOf(name, tag, state), undefined);
}

/**
 * POST `/v2/<name>/_skerry/tags/<tag>/restore` (docs/api.md): points the tag back at an earlier digest of its
 * history, `{"digest": …}` in the body, else at the one before; a deleted tag at its last. `If-Match` and
 * `If-None-Match` as on a manifest PUT.
 */
export async function restoreTag(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const tag = tagParam(c);
  const wanted = await wantedDigest(c);
  const { state, digest } = await restore(c, name, { tag, digest: wanted, condition: conditionOf(c) });
  const response = jsonPage(c, historyOf(name, tag, state), undefined);
  response.headers.set("Docker-Content-Digest", digest);
  response.headers.set("ETag", `"${digest}"`);
  return response;
}

async function byName(c: RegistryContext, name: RepositoryName, limit: number, last: string | undefined) {
  const page = await listTags(c.var.registry.store, name, limit, last);
  if (!page.known) await refuseUnknown(c, name);
  return page;
}

/** Newest first needs a look at every tag, but memory for one page only. */
async function newest(c: RegistryContext, name: RepositoryName, limit: number, last: string | undefined) {
  const all = await listTags(c.var.registry.store, name, Number.POSITIVE_INFINITY, undefined);
  if (!all.known) await refuseUnknown(c, name);
  const sorted = all.tags.toSorted((a, b) => b.at - a.at || (a.tag < b.tag ? -1 : 1));
  const start = last === undefined ? 0 : sorted.findIndex((tag) => isAfter(tag, last));
  const rest = start < 0 ? [] : sorted.slice(start);
  return { tags: rest.slice(0, limit), more: rest.length > limit };
}

async function refuseUnknown(c: RegistryContext, name: RepositoryName): Promise<void> {
  if (!(await isInCatalog(c.var.registry.store, name))) {
    throw new RegistryError("NAME_UNKNOWN", { detail: { name } });
  }
}

/** Where a page by time ended: time and, among tags of one time, name. */
function timeCursor(tag: ListedTag): string {
  return `${tag.at}:${tag.tag}`;
}

function isAfter(tag: ListedTag, cursor: string): boolean {
  const [, at, name] = /^(\d+):(.*)$/.exec(cursor) ?? [];
  if (at === undefined || name === undefined) {
    throw new RegistryError("UNSUPPORTED", { status: 400, message: "last is not from a page by time" });
  }
  return tag.at < Number(at) || (tag.at === Number(at) && tag.tag > name);
}

function describe({ tag, target, at }: ListedTag) {
  const { digest, mediaType, size } = target;
  return { tag, digest, mediaType, size, updatedAt: new Date(at).toISOString() };
}

function historyOf(name: RepositoryName, tag: Tag, state: TagState) {
  return {
    name,
    tag,
    digest: state.target?.digest ?? null,
    ...(state.target === undefined && { deletedAt: new Date(state.at).toISOString() }),
    ...(state.reason !== undefined && { deletedBy: state.reason }),
    history: state.history.map(({ digest, at }) => ({ digest, setAt: new Date(at).toISOString() })),
  };
}

async function wantedDigest(c: RegistryContext): Promise<Digest | undefined> {
  const bytes = await readLimited(c.req.raw, maxBody);
  if (bytes?.byteLength === 0) return undefined;
  const body = bytes && tryParseJsonObject(bytes);
  const digest = body?.digest;
  if (body === undefined || !["string", "undefined"].includes(typeof digest))
    throw malformed('the body is not {"digest": …}');
  return digest === undefined ? undefined : parseDigest(String(digest));
}

function tagParam(c: RegistryContext): Tag {
  const text = c.req.param("tag") ?? "";
  const tag = tryParseTag(text);
  if (tag === undefined) throw unknownTag(text);
  return tag;
}
