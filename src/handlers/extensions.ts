import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonResponse } from "./json.ts";

/** Only where the registry signs URLs of its bucket. */
const uploads = ["_skerry/uploads", "_skerry/uploads/<session>"];

/** Only where there is an upstream to import from. */
const imports = ["_skerry/imports", "_skerry/imports/<id>"];

const extension = {
  name: "_skerry",
  description:
    "Tags with digest and time, their history, and the way back to an earlier digest; uploads straight to the bucket; imports",
  endpoints: ["_skerry/tags", "_skerry/tags/<tag>/history", "_skerry/tags/<tag>/restore"],
};

/** GET `/v2/_oci/ext/discover` (distribution-spec, extensions/_oci.md): nothing beside what repositories have. */
export function discoverExtensions(_c: RegistryContext): Response {
  return json({ extensions: [] });
}

/** GET `/v2/<name>/_oci/ext/discover`: what a repository answers beyond the specification. */
export function discoverRepositoryExtensions(c: RegistryContext): Response {
  repositoryFor(c, "pull");
  const { objectUrls, config } = c.var.registry;
  const endpoints = [
    ...extension.endpoints,
    ...(objectUrls === undefined ? [] : uploads),
    ...(config.upstreams.length === 0 ? [] : imports),
  ];
  return json({ extensions: [{ ...extension, endpoints }] });
}

function json(body: unknown): Response {
  return jsonResponse(JSON.stringify(body), { "Cache-Control": "no-cache, no-transform" });
}
