import { Hono } from "hono/tiny";
import { getPathNoStrict } from "hono/utils/url";
import { deleteRobot, getRobots, postRobot, postRotation } from "./handlers/accounts.ts";
import { getAdoption, postAdoptStep } from "./handlers/adoption.ts";
import { authenticate } from "./handlers/authentication.ts";
import { getBase, getRoot } from "./handlers/base.ts";
import { deleteBlob, getBlob } from "./handlers/blobs.ts";
import { drain } from "./handlers/body.ts";
import { getCatalog } from "./handlers/catalog.ts";
import { type AppEnv, allowedMethods, type RegistryContext } from "./handlers/context.ts";
import { errorResponse } from "./handlers/errors.ts";
import { discoverExtensions, discoverRepositoryExtensions } from "./handlers/extensions.ts";
import { getReports, postStep } from "./handlers/garbage-collection.ts";
import { getLiveness, getReadiness, getVersion } from "./handlers/health.ts";
import { cancelImport, getImport, getImports, startImport, stepImport } from "./handlers/imports.ts";
import { deleteManifest, putManifest } from "./handlers/manifest-writes.ts";
import { getManifest } from "./handlers/manifests.ts";
import { namespace } from "./handlers/namespace.ts";
import { observe } from "./handlers/observation.ts";
import { getReferrers } from "./handlers/referrers.ts";
import { getVerdicts } from "./handlers/retention.ts";
import { getDatedTags, getTagHistory, restoreTag } from "./handlers/tag-history.ts";
import { getTags } from "./handlers/tags.ts";
import { getToken, postToken } from "./handlers/token.ts";
import { nextParts, startParts } from "./handlers/upload-parts.ts";
import { appendChunk, cancelUpload, closeUpload, startUpload, uploadStatus } from "./handlers/uploads.ts";
import { RegistryError } from "./oci/error.ts";
import type { Registry } from "./registry.ts";
import { getAsset } from "./web/assets/assets.ts";
import { postGarbageCollection, showGarbageCollection } from "./web/garbage-collection.tsx";
import { postRestore, showHistory } from "./web/history.tsx";
import { showManifest } from "./web/manifest.tsx";
import { postDeletion, showDeletion } from "./web/manifest-deletion.tsx";
import { page, pageOr } from "./web/page.tsx";
import { showRepositories } from "./web/repositories.tsx";
import { postRepositoryDeletion, showRepositoryDeletion } from "./web/repository-deletion.tsx";
import { showRetention } from "./web/retention.tsx";
import { postSignIn, postSignOut, showSignIn } from "./web/sign-in.tsx";
import { showStorage } from "./web/storage.tsx";
import { showTags } from "./web/tags.tsx";

type Handler = (c: RegistryContext) => Response | Promise<Response>;

/** The methods of one path; GET answers HEAD too. */
type Methods = Readonly<Partial<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE", Handler>>>;

/** The HTTP surface, in reading order. A path ends with or without a slash. */
const routes: readonly (readonly [path: string, methods: Methods])[] = [
  ["/", { GET: pageOr(showRepositories, getRoot) }],
  ["/v2", { GET: getBase }],
  ["/v2/_catalog", { GET: getCatalog }],
  ["/v2/:name{.+}/tags/list", { GET: getTags }],
  ["/v2/:name{.+}/manifests/:reference", { GET: getManifest, PUT: putManifest, DELETE: deleteManifest }],
  ["/v2/:name{.+}/blobs/uploads", { POST: startUpload }],
  [
    "/v2/:name{.+}/blobs/uploads/:session",
    { GET: uploadStatus, PATCH: appendChunk, PUT: closeUpload, DELETE: cancelUpload },
  ],
  ["/v2/:name{.+}/_skerry/uploads", { POST: startParts }],
  ["/v2/:name{.+}/_skerry/uploads/:session", { POST: nextParts }],
  ["/v2/:name{.+}/_skerry/imports", { GET: getImports, POST: startImport }],
  ["/v2/:name{.+}/_skerry/imports/:job", { GET: getImport, POST: stepImport, DELETE: cancelImport }],
  ["/v2/:name{.+}/blobs/:digest", { GET: getBlob, DELETE: deleteBlob }],
  ["/v2/:name{.+}/referrers/:digest", { GET: getReferrers }],
  ["/v2/_oci/ext/discover", { GET: discoverExtensions }],
  ["/v2/:name{.+}/_oci/ext/discover", { GET: discoverRepositoryExtensions }],
  ["/v2/:name{.+}/_skerry/retention", { GET: getVerdicts }],
  ["/v2/:name{.+}/_skerry/tags", { GET: getDatedTags }],
  ["/v2/:name{.+}/_skerry/tags/:tag/history", { GET: getTagHistory }],
  ["/v2/:name{.+}/_skerry/tags/:tag/restore", { POST: restoreTag }],
  ["/v2/_skerry/accounts", { GET: getRobots, POST: postRobot }],
  ["/v2/_skerry/accounts/:account", { DELETE: deleteRobot }],
  ["/v2/_skerry/accounts/:account/rotate", { POST: postRotation }],
  ["/v2/_skerry/adopt", { GET: getAdoption, POST: postAdoptStep }],
  ["/v2/_skerry/gc", { GET: getReports, POST: postStep }],
  ["/token", { GET: getToken, POST: postToken }],
  ["/livez", { GET: getLiveness }],
  ["/readyz", { GET: getReadiness }],
  ["/version", { GET: getVersion }],
  ["/-/assets/:file", { GET: getAsset }],
  ["/-/sign-in", { GET: page(showSignIn), POST: page(postSignIn) }],
  ["/-/sign-out", { POST: page(postSignOut) }],
  ["/-/storage", { GET: page(showStorage) }],
  ["/-/garbage-collection", { GET: page(showGarbageCollection), POST: page(postGarbageCollection) }],
  [
    "/-/repositories/:name{.+}/-/delete",
    { GET: page(showRepositoryDeletion), POST: page(postRepositoryDeletion) },
  ],
  ["/-/repositories/:name{.+}/-/retention", { GET: page(showRetention) }],
  ["/-/repositories/:name{.+}/-/tags/:tag/history", { GET: page(showHistory) }],
  ["/-/repositories/:name{.+}/-/tags/:tag/restore", { POST: page(postRestore) }],
  [
    "/-/repositories/:name{.+}/-/manifests/:reference/delete",
    { GET: page(showDeletion), POST: page(postDeletion) },
  ],
  ["/-/repositories/:name{.+}/-/manifests/:reference", { GET: page(showManifest) }],
  ["/-/repositories/:name{.+}", { GET: page(showTags) }],
];

/**
 * The registry as a Hono app. The tiny preset routes by one regular expression for each path, in time linear in
 * the length of the URL; with the default one, names of thousands of components cost seconds.
 */
export function createApp(registry: Registry): Hono<AppEnv> {
  const { names } = registry.pullThrough;
  // Names that are an upstream's by host or `ns` are the long ones from here on, for rights as for everything else.
  const getPath = (request: Request) => names.pathOf(getPathNoStrict(request), request);
  const app = new Hono<AppEnv>({ getPath });
  app.onError((error) => errorResponse(error));
  app.notFound(() => errorResponse(notFound()));
  app.use(observe(registry));
  app.use(async (c, next) => {
    c.set("url", new URL(c.req.url));
    await next();
    if (c.res.status >= 400) await drain(c.req.raw);
    c.res.headers.set("Docker-Distribution-API-Version", "registry/2.0");
  });
  app.use("/v2/*", namespace);
  app.use("/v2/*", authenticate);
  app.use("/v2/*", async (c, next) => {
    // Encoded slashes and zero bytes have no place in any name; decoding them would only blur what is meant.
    if (/%(?:2f|5c|00)/i.test(c.var.url.pathname)) throw new RegistryError("NAME_INVALID");
    await next();
  });
  for (const [path, methods] of routes) {
    app.all(path, (c) => dispatch(c, methods));
  }
  return app;
}

/** What answers while the configuration is wrong: a 500 for everything. */
export function createBrokenApp(): Hono {
  const app = new Hono();
  const message = "the registry is misconfigured: its log says how";
  app.all("*", () => errorResponse(new RegistryError("UNKNOWN", { message })));
  return app;
}

function dispatch(c: RegistryContext, methods: Methods): Response | Promise<Response> {
  c.set("methods", Object.keys(methods));
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  const handler = (methods as Readonly<Record<string, Handler | undefined>>)[method];
  if (handler !== undefined) return handler(c);
  const headers = { Allow: allowedMethods(c) };
  if (method === "OPTIONS") return new Response(null, { headers: { ...headers, "Content-Length": "0" } });
  throw new RegistryError("UNSUPPORTED", { message: "method not allowed", headers });
}

function notFound(): RegistryError {
  return new RegistryError("UNSUPPORTED", { status: 404, message: "there is nothing here" });
}
