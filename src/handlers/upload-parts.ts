import * as v from "valibot";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import { noteForCollection } from "../storage/catalog.ts";
import { isDirect, newDirectUpload, preambleLength } from "../storage/direct-session.ts";
import { offsetDigits } from "../storage/key.ts";
import type { ObjectUrls } from "../storage/object-urls.ts";
import { statSegment } from "../storage/segments.ts";
import { sessionLifetime, type UploadState } from "../storage/upload-state.ts";
import { malformed } from "./admin.ts";
import { defer, type RegistryContext, repositoryFor } from "./context.ts";
import { jsonResponse } from "./json.ts";
import { readJson } from "./json-request.ts";
import { absoluteUrl } from "./location.ts";
import { sessionHeaders, sessionOf, signedQuery, unknownUpload } from "./upload-session.ts";

/** Bytes of the body of a request at most. */
const maxBody = 16 * 1024;
/** URLs of one answer at most: each costs the signing of it. */
const maxParts = 100;
/** How long, in seconds, the URL of a part is good. */
const partLifetime = 3600;

const partsRequest = v.strictObject({
  offset: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  sizes: v.pipe(
    v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
    v.minLength(1),
    v.maxLength(maxParts),
  ),
});

/**
 * POST `/v2/<name>/_skerry/uploads` (docs/api.md): begins a direct session, and hands out the URLs of its first
 * parts. It writes nothing of the blob.
 */
export async function startParts(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const urls = objectUrls(c);
  const { store } = c.var.registry;
  // What the client may put there is found by its repository alone.
  defer(c, () => noteForCollection(store, name));
  return parts(c, urls, name, newDirectUpload(store.clock.now()));
}

/** POST `/v2/<name>/_skerry/uploads/<session>` (docs/api.md): URLs of further parts of a direct session. */
export async function nextParts(c: RegistryContext): Promise<Response> {
  const name = repositoryFor(c, "push");
  const urls = objectUrls(c);
  const state = await sessionOf(c, name);
  if (!isDirect(state.session)) throw unknownUpload();
  const first = await statSegment(c.var.registry.store, name, state.session, 0);
  if (first === "closed") throw unknownUpload();
  return parts(c, urls, name, state);
}

/** @throws RegistryError UNSUPPORTED (404) without S3 credentials. */
function objectUrls(c: RegistryContext): ObjectUrls {
  const { objectUrls } = c.var.registry;
  if (objectUrls !== undefined) return objectUrls;
  throw new RegistryError("UNSUPPORTED", {
    status: 404,
    message: "the registry hands out no URLs of its bucket",
  });
}

async function parts(
  c: RegistryContext,
  urls: ObjectUrls,
  name: RepositoryName,
  state: UploadState,
): Promise<Response> {
  const { store, config } = c.var.registry;
  const { offset, sizes } = await readJson(c, partsRequest, maxBody);
  const limit = config.singlePutLimit - preambleLength;
  if (sizes.some((size) => size > limit)) throw malformed(`a part has at most ${limit} bytes`);
  const now = store.clock.now();
  const seconds = Math.min(partLifetime, Math.floor((state.startedAt + sessionLifetime - now) / 1000) + 1);
  const signed = await mapBounded(placesFrom(offset, sizes), store.concurrency, async (place) => {
    const key = store.layout.segment(name, state.session, place.offset);
    const { url, headers } = await urls.create(key, place.size + preambleLength, seconds);
    return { ...place, method: "PUT", url, headers };
  });
  const path = `/v2/${name}/_skerry/uploads/${state.session}`;
  const body = {
    preamble: state.session,
    parts: signed,
    more: absoluteUrl(c, path + (await signedQuery(c, name, state))),
    expiresAt: new Date(now + seconds * 1000).toISOString(),
  };
  const { "Content-Length": _, ...session } = await sessionHeaders(c, name, state);
  // Whoever has a URL may use it.
  return jsonResponse(JSON.stringify(body), { "Cache-Control": "no-store", ...session });
}

/** Where each part lies. @throws RegistryError 400 for more bytes than an upload can have. */
function placesFrom(offset: number, sizes: readonly number[]) {
  let end = offset;
  const places = sizes.map((size) => {
    const place = { offset: end, size };
    end += size;
    return place;
  });
  if (String(end).length > offsetDigits) throw malformed("the parts are too large");
  return places;
}
