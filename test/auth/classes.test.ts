import { beforeAll, describe, expect, it } from "vitest";
import {
  dockerImageConfig,
  dockerManifest,
  dockerPluginConfig,
  ociImageConfig,
  ociIndex,
  ociManifest,
} from "../../src/oci/media-type.ts";
import { blobOf, pushBlob, putManifest, type TestBlob } from "../support/content.ts";
import { authorized, type Client } from "../support/registry.ts";
import { basic, bearer, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld } from "./world.ts";

const image = { manifestType: ociManifest, configType: ociImageConfig };
const dockerImage = { manifestType: dockerManifest, configType: dockerImageConfig };
const plugin = { manifestType: dockerManifest, configType: dockerPluginConfig };
const chart = { manifestType: ociManifest, configType: "application/vnd.cncf.helm.config.v1+json" };
const imageScope = "repository:team/app:pull,push";
const pluginScope = "repository(plugin):team/app:pull,push";

let world: AuthWorld;
let config: TestBlob;

beforeAll(async () => {
  world = await createAuthWorld();
  config = await blobOf("{}");
  await pushBlob(world.as(world.accounts.writer), "team/app", config);
});

async function push(
  client: Client,
  { manifestType, configType }: { readonly manifestType: string; readonly configType: string },
): Promise<string> {
  const descriptor = { mediaType: configType, digest: config.digest, size: config.bytes.byteLength };
  const manifest = { schemaVersion: 2, mediaType: manifestType, config: descriptor, layers: [] };
  const answer = await putManifest(client, "team/app", "1", {
    ...(await blobOf(JSON.stringify(manifest))),
    mediaType: manifestType,
  });
  if (answer.status === 201) return "201";
  const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
  return `${answer.status} ${errors[0]?.code} ${errors[0]?.message}`;
}

async function withScopes(
  repositoryClasses: readonly string[],
  ...scopes: readonly string[]
): Promise<Client> {
  const token = await getToken(world.stranger, scopes, basic(world.accounts.writer));
  return authorized(world.registry.client("restricted", { repositoryClasses }), bearer(token));
}

describe("REPOSITORY_CLASSES", () => {
  it.each([
    ["A70, A73", "image", image, ["image"], [imageScope], "201"],
    ["A70", "image", dockerImage, ["image"], [imageScope], "201"],
    ["A71", "plugin", plugin, ["image", "plugin"], [pluginScope], "201"],
    [
      "A72",
      "chart",
      chart,
      ["image", "plugin"],
      [imageScope],
      `403 DENIED unknown manifest class for ${chart.configType}`,
    ],
    ["A75", "plugin", plugin, ["image"], [pluginScope], "403 DENIED registry does not allow plugin manifest"],
    ["A75", "image", image, ["plugin"], [imageScope], "403 DENIED registry does not allow image manifest"],
    [
      "A76",
      "plugin",
      plugin,
      ["image", "plugin"],
      [imageScope],
      "403 DENIED repository not authorized for plugin manifest",
    ],
    [
      "A76",
      "image",
      image,
      ["image", "plugin"],
      [pluginScope],
      "403 DENIED repository not authorized for image manifest",
    ],
    ["A76", "plugin", plugin, ["image", "plugin"], [imageScope, pluginScope], "201"],
    ["off", "chart", chart, [], [imageScope], "201"],
    ["off", "plugin", plugin, [], [imageScope], "201"],
  ] as const)(
    "%s: a %s (%o) where %o are allowed, by a token for %o: %s",
    async (_, _kind, kind, classes, scopes, outcome) => {
      expect(await push(await withScopes(classes, ...scopes), kind)).toBe(outcome);
    },
  );

  it("A74: an index has no class", async () => {
    const client = await withScopes(["plugin"], imageScope);
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };
    const manifest = { ...(await blobOf(JSON.stringify(index))), mediaType: ociIndex };
    expect((await putManifest(client, "team/app", "index", manifest)).status).toBe(201);
  });

  it("A77: Basic credentials name no class", async () => {
    const client = world.registry.client("restricted", { repositoryClasses: ["image", "plugin"] });
    expect(await push(authorized(client, basic(world.accounts.writer)), plugin)).toBe("201");
  });
});
