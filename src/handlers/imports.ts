import * as v from "valibot";
import { repositoryScope } from "../auth/scope.ts";
import { discardUploads, endImport } from "../imports/cancel.ts";
import { driveImport } from "../imports/drive.ts";
import { makeRoom } from "../imports/forget.ts";
import { findJob, type Job, newJob, type StoredJob, writeJob } from "../imports/job.ts";
import { listImports } from "../imports/list.ts";
import { createImporter, withImporter } from "../imports/settings.ts";
import { parseSource, type Source } from "../imports/source.ts";
import { runImportStep } from "../imports/step.ts";
import { RegistryError, retryLater } from "../oci/error.ts";
import { type RepositoryName, tryParseTag } from "../oci/name.ts";
import { malformed, requireJson } from "./admin.ts";
import { announce, defer, type RegistryContext, repositoryFor, seeThrough } from "./context.ts";
import { jsonResponse } from "./json.ts";
import { readJson } from "./json-request.ts";
import { absoluteUrl } from "./location.ts";
import { refused } from "./refusal.ts";

/** Bytes of the body of a request at most. */
const maxBody = 16 * 1024;
/** Tags that one import sets at most, as a PUT does. */
const maxTags = 50;
/** Seconds after which a client that waits is to look again. */
const pollAfter = 2;

const importRequest = v.strictObject({
  from: v.pipe(v.string(), v.maxLength(600)),
  tags: v.optional(v.pipe(v.array(v.string()), v.maxLength(maxTags))),
  referrers: v.optional(v.boolean(), false),
});

/**
 * POST `/v2/<name>/_skerry/imports` (docs/api.md): has the registry fetch an image from an upstream. Who may begin
 * it may pull the image through this registry, and push to the repository.
 */
export async function startImport(c: RegistryContext): Promise<Response> {
  const { store } = c.var.registry;
  const name = repositoryFor(c, "push");
  const { from, tags, referrers } = await readJson(c, importRequest, maxBody);
  const source = sourceOf(c, from);
  const wanted = tagsOf(tags ?? (source.tag === undefined ? [] : [source.tag]));
  if (!(await makeRoom(store, await listImports(store)))) throw retryLater(600, "too many imports at once");
  const job = newJob(
    {
      name,
      from: { name: source.repository.name, reference: source.reference },
      tags: wanted,
      referrers,
      classes: [...c.var.access.classes(name)],
      createdBy: c.var.access.caller.name,
    },
    store.clock.now(),
  );
  const id = crypto.randomUUID();
  const stored = await writeJob(store, { id, version: undefined }, job);
  if (stored === undefined) throw new Error("an id of an import was there before");
  if (!(await isQueued(c, id)))
    defer(c, () =>
      withImporter(c.var.registry, c.var.url.origin, (importer) => driveImport(importer, id, 0)),
    );
  const headers = { Location: absoluteUrl(c, importPath(name, id)), "Retry-After": String(pollAfter) };
  return answer(id, job, headers, 202);
}

/** Whether a queue goes on with the import: there may be none, or it takes no more messages today. */
async function isQueued(c: RegistryContext, id: string): Promise<boolean> {
  const { importQueue } = c.var.registry;
  if (importQueue === undefined) return false;
  try {
    await importQueue.send({ import: id });
    return true;
  } catch (error) {
    console.warn("the queue of imports takes no message", error);
    return false;
  }
}

/** GET `/v2/<name>/_skerry/imports` (docs/api.md): the imports into the repository, newest first. */
export async function getImports(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const imports = (await listImports(c.var.registry.store))
    .filter(({ repository }) => repository === name)
    .toSorted((one, other) => other.at - one.at)
    .map(({ id, state, at }) => ({ id, state, updatedAt: new Date(at).toISOString() }));
  return json({ name, imports });
}

/** GET `/v2/<name>/_skerry/imports/<id>` (docs/api.md): how far an import is. */
export async function getImport(c: RegistryContext): Promise<Response> {
  const { id, job } = await importFor(c);
  return answer(id, job, waitOf(c, job));
}

/** POST `/v2/<name>/_skerry/imports/<id>` (docs/api.md): one step of an import, and how far it then is. */
export async function stepImport(c: RegistryContext): Promise<Response> {
  const stored = await importFor(c);
  requireJson(c);
  const importer = createImporter(c.var.registry, (...happenings) => announce(c, ...happenings));
  const job = await seeThrough(c, runImportStep(importer, stored));
  return answer(stored.id, job, waitOf(c, job));
}

/** DELETE `/v2/<name>/_skerry/imports/<id>` (docs/api.md): ends an import; one that is over stays as it is. */
export async function cancelImport(c: RegistryContext): Promise<Response> {
  const { store } = c.var.registry;
  const job = await endImport(store, await importFor(c));
  if (job.state === "cancelled") defer(c, () => discardUploads(store, job));
  return new Response(null, { status: 204 });
}

async function importFor(c: RegistryContext): Promise<StoredJob> {
  const name = repositoryFor(c, "push");
  const stored = await findJob(c.var.registry.store, name, c.req.param("job") ?? "");
  if (stored !== undefined) return stored;
  throw new RegistryError("UNSUPPORTED", { status: 404, message: "there is no such import" });
}

/** @throws RegistryError 400 for what names no image of an upstream; 401 or 403 for who may not pull it. */
function sourceOf(c: RegistryContext, from: string): Source {
  const { pullThrough } = c.var.registry;
  const source = parseSource(from, pullThrough);
  if (source === undefined)
    throw malformed(
      "from: <upstream>/<repository>:<tag> or …@<digest> of an upstream of this registry expected",
    );
  const { name } = source.repository;
  if (!c.var.access.allows(name, "pull")) throw refused(c, [repositoryScope(name, "pull")]);
  return source;
}

function tagsOf(texts: readonly string[]) {
  return [...new Set(texts)].map((text) => tryParseTag(text) ?? malformedTag(text));
}

function malformedTag(text: string): never {
  throw malformed(`tags: ${JSON.stringify(text.slice(0, 128))} is no tag`);
}

function importPath(name: RepositoryName, id: string): string {
  return `/v2/${name}/_skerry/imports/${id}`;
}

/** When it is worth looking again. */
function waitOf(c: RegistryContext, { state, notBefore, busyUntil }: Job): Record<string, string> {
  if (state !== "open") return {};
  const now = c.var.registry.store.clock.now();
  const wait = busyUntil > now ? pollAfter : Math.ceil((notBefore - now) / 1000);
  return { "Retry-After": String(Math.max(wait, 0)) };
}

function answer(id: string, job: Job, headers: Record<string, string>, status = 200): Response {
  const {
    state,
    name,
    from,
    tags,
    referrers,
    root,
    blobs,
    manifests,
    unread,
    stored,
    error,
    createdAt,
    createdBy,
  } = job;
  const separator = from.reference.includes(":") ? "@" : ":";
  const body = {
    id,
    state,
    name,
    from: from.name + separator + from.reference,
    tags,
    referrers,
    digest: root ?? null,
    createdAt: new Date(createdAt).toISOString(),
    createdBy,
    manifests: { known: new Set([...manifests, ...unread]).size, stored },
    blobs: { known: blobs.length, done: blobs.filter(({ done }) => done).length },
    bytes: {
      known: blobs.reduce((sum, { size }) => sum + size, 0),
      done: blobs.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    ...(error !== undefined && { error }),
  };
  return json(body, headers, status);
}

function json(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return jsonResponse(`${JSON.stringify(body)}\n`, { "Cache-Control": "no-store", ...headers }, status);
}
