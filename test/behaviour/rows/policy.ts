import { grantedAccess } from "../../../src/auth/access.ts";
import { everything } from "../../../src/auth/grants.ts";
import {
  dockerImageConfig,
  dockerManifest,
  dockerPluginConfig,
  type ManifestMediaType,
  ociImageConfig,
  ociIndex,
  ociManifest,
} from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const helm = "application/vnd.cncf.helm.config.v1+json";

/** A client with a token that names this repository with these classes. */
function tokenWith(world: World, classes: readonly string[]): void {
  const access = {
    ...grantedAccess({ name: "somebody", scheme: "bearer" }, everything),
    classes: () => classes,
  };
  Object.assign(world.client.registry.auth, { authenticate: async () => access });
}

function push(
  rule: string,
  condition: string,
  [type, configType]: readonly [ManifestMediaType, string],
  allowed: readonly string[],
  message?: string,
  classes?: readonly string[],
): Row {
  return {
    rule,
    condition,
    config: { repositoryClasses: allowed },
    given: async (world) => {
      await world.blob("config");
      if (classes !== undefined) tokenWith(world, classes);
    },
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": type },
    body: {
      schemaVersion: 2,
      mediaType: type,
      config: { mediaType: configType, digest: "<config>", size: 11 },
      layers: [],
    },
    status: message === undefined ? 201 : 403,
    ...(message !== undefined && { errors: [{ code: "DENIED", message }] }),
  };
}

const dockerImage = [dockerManifest, dockerImageConfig] as const;
const plugin = [dockerManifest, dockerPluginConfig] as const;
const image = [ociManifest, ociImageConfig] as const;
const chart = [ociManifest, helm] as const;

const readOnly = { readOnly: true };
const noDelete = { deleteEnabled: false };
const prepared = (world: World) => world.image("image", { reference: "1" });
const onMirror = async (world: World) => {
  await prepared(world);
  world.mirror("app");
};
const bypass = { seed: "202", because: "M16" };

function forbidden(
  rule: string,
  condition: string,
  given: Partial<Row> & Pick<Row, "request">,
  allow: string,
): Row {
  return {
    rule,
    condition,
    given: prepared,
    status: 405,
    errors: [{ code: "UNSUPPORTED" }],
    answer: { Allow: allow },
    ...given,
  };
}

const asText = { differs: { seed: "405 as text", because: "the answer is always the JSON envelope" } };
const noAllow = { differs: { seed: "405 `UNSUPPORTED` without Allow", because: "RFC 9110 asks for it" } };

/** A4, A59, A65, A70 to A77, A80, A81: who may write what, where. */
export const policy: readonly Row[] = [
  push("A70", "a Docker image where images are allowed", dockerImage, ["image"]),
  push("A71", "a plugin where plugins are allowed", plugin, ["image", "plugin"]),
  push("A73", "an OCI image where images are allowed", image, ["image"]),
  push(
    "A59 A75",
    "a plugin where only images are",
    plugin,
    ["image"],
    "registry does not allow plugin manifest",
  ),
  push(
    "A75",
    "a Docker image where only plugins are",
    dockerImage,
    ["plugin"],
    "registry does not allow image manifest",
  ),
  push(
    "A75",
    "an OCI image where only plugins are",
    image,
    ["plugin"],
    "registry does not allow image manifest",
  ),
  push("A72", "any other config", chart, ["image"], `unknown manifest class for ${helm}`),
  push(
    "A72",
    "any other config in a Docker manifest",
    [dockerManifest, helm],
    ["image"],
    `unknown manifest class for ${helm}`,
  ),
  push(
    "A72",
    "an OCI manifest over a plugin's config",
    [ociManifest, dockerPluginConfig],
    ["plugin"],
    `unknown manifest class for ${dockerPluginConfig}`,
  ),
  push("A59", "any config where classes are not restricted", chart, []),
  {
    rule: "A74",
    condition: "an index has no class",
    config: { repositoryClasses: ["plugin"] },
    request: "PUT /v2/app/manifests/1",
    headers: { "Content-Type": ociIndex },
    body: { schemaVersion: 2, mediaType: ociIndex, manifests: [] },
    status: 201,
  },
  push(
    "A76",
    "a token for plugins",
    image,
    ["image", "plugin"],
    "repository not authorized for image manifest",
    ["plugin"],
  ),
  push(
    "A76",
    "a token without a class, for a plugin",
    plugin,
    ["image", "plugin"],
    "repository not authorized for plugin manifest",
    [""],
  ),
  push("A76", "a token without a class is for images", image, ["image", "plugin"], undefined, [""]),
  push("A76", "one of two entries of the token is for plugins", plugin, ["image", "plugin"], undefined, [
    "",
    "plugin",
  ]),
  push("A77", "a token that does not name the repository", plugin, ["image", "plugin"], undefined, []),

  forbidden(
    "A4",
    "READ_ONLY, PUT",
    { config: readOnly, request: "PUT /v2/app/manifests/2", given: () => Promise.resolve(), ...asText },
    "GET, HEAD",
  ),
  forbidden(
    "A4",
    "READ_ONLY, DELETE",
    { config: readOnly, request: "DELETE /v2/app/manifests/1", given: () => Promise.resolve(), ...asText },
    "GET, HEAD",
  ),
  forbidden(
    "A4",
    "READ_ONLY, DELETE of a blob",
    {
      config: readOnly,
      request: `DELETE /v2/app/blobs/sha256:${"0".repeat(64)}`,
      given: () => Promise.resolve(),
      ...asText,
    },
    "GET, HEAD",
  ),
  forbidden(
    "A4",
    "READ_ONLY, an upload",
    { config: readOnly, request: "POST /v2/app/blobs/uploads/", given: () => Promise.resolve(), ...asText },
    "",
  ),
  {
    rule: "A4",
    condition: "READ_ONLY, OPTIONS",
    config: readOnly,
    request: "OPTIONS /v2/app/manifests/1",
    status: 200,
    answer: { Allow: "GET, HEAD" },
  },
  forbidden(
    "A65",
    "a mirror, PUT",
    { given: onMirror, request: "PUT /v2/app/manifests/2", ...noAllow },
    "GET, HEAD",
  ),
  forbidden(
    "A65",
    "a mirror, PUT of a body that is none",
    {
      given: onMirror,
      request: "PUT /v2/app/manifests/2",
      body: "nonsense",
      differs: { seed: "400 `MANIFEST_INVALID`", because: "a body that will not be taken need not be read" },
    },
    "GET, HEAD",
  ),
  forbidden(
    "A80",
    "a mirror, DELETE by tag",
    { given: onMirror, request: "DELETE /v2/app/manifests/1", ...noAllow },
    "GET, HEAD",
  ),
  forbidden(
    "A80",
    "a mirror, DELETE by digest",
    { given: onMirror, request: "DELETE /v2/app/manifests/<image>", ...noAllow },
    "GET, HEAD",
  ),
  {
    rule: "A65",
    condition: "a mirror, GET of what it has",
    given: onMirror,
    request: "GET /v2/app/manifests/1",
    status: 200,
    content: "<image>",
  },
  {
    rule: "A65",
    condition: "a repository beside a mirror",
    given: async (world) => {
      await world.image("image", { name: "other" });
      world.mirror("app");
    },
    request: "DELETE /v2/other/manifests/<image>",
    status: 202,
  },
  forbidden(
    "A81",
    "DELETE_ENABLED=false, by tag",
    {
      config: noDelete,
      request: "DELETE /v2/app/manifests/1",
      afterwards: [["GET /v2/app/manifests/1", 200]],
      differs: bypass,
    },
    "GET, HEAD, PUT",
  ),
  forbidden(
    "A81",
    "DELETE_ENABLED=false, by digest",
    {
      config: noDelete,
      request: "DELETE /v2/app/manifests/<image>",
      afterwards: [["GET /v2/app/manifests/<image>", 200]],
      ...noAllow,
    },
    "GET, HEAD, PUT",
  ),
  forbidden(
    "A81",
    "DELETE_ENABLED=false, a digest that is not there",
    { config: noDelete, request: `DELETE /v2/app/manifests/sha256:${"0".repeat(64)}`, ...noAllow },
    "GET, HEAD, PUT",
  ),
  forbidden(
    "A81",
    "DELETE_ENABLED=false, a blob",
    {
      config: noDelete,
      request: "DELETE /v2/app/blobs/<image layer>",
      afterwards: [["HEAD /v2/app/blobs/<image layer>", 200]],
      ...noAllow,
    },
    "GET, HEAD",
  ),
  {
    rule: "A81",
    condition: "DELETE_ENABLED=false, an upload is cancelled all the same",
    config: noDelete,
    request: "OPTIONS /v2/app/blobs/uploads/1",
    status: 200,
    answer: { Allow: "DELETE, GET, HEAD, PATCH, PUT" },
  },
];
