import { dockerManifest, dockerManifestList, ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const amd64 = { architecture: "amd64", os: "linux", variant: "v2" };
const arm64 = { architecture: "arm64", os: "linux" };
const windows = { architecture: "amd64", os: "windows" };
const oldClient = { Accept: dockerManifest };

/** A list of an arm64, a Windows and a linux/amd64 image, tagged `1`. */
async function listed(world: World): Promise<void> {
  await world.docker("arm");
  await world.docker("windows");
  await world.docker("child");
  await world.list(
    "list",
    [
      { label: "arm", platform: arm64 },
      { label: "windows", platform: windows },
      { label: "child", platform: amd64 },
    ],
    { reference: "1" },
  );
}

/** A list whose linux/amd64 child is an OCI image. */
async function listOfOci(world: World): Promise<void> {
  await world.image("child");
  await world.list("list", [{ label: "child", platform: amd64 }], { reference: "1" });
}

const request = "GET /v2/app/manifests/1";

/** A33 to A39: a manifest list by tag, for clients from before manifest lists. */
export const lists: readonly Row[] = [
  {
    rule: "A33 A37",
    condition: "Accept names schema 2 and not the list: the linux/amd64 child, with its own headers",
    given: listed,
    request,
    headers: oldClient,
    status: 200,
    content: "<child>",
    answer: {
      "Content-Type": dockerManifest,
      "Docker-Content-Digest": "<child>",
      ETag: '"<child>"',
      Vary: "Accept",
    },
  },
  {
    rule: "A33",
    condition: "the first of two linux/amd64 children",
    given: async (world) => {
      await world.docker("child");
      await world.docker("second");
      const children = [
        { label: "child", platform: amd64 },
        { label: "second", platform: amd64 },
      ];
      await world.list("list", children, { reference: "1" });
    },
    request,
    headers: oldClient,
    status: 200,
    content: "<child>",
  },
  {
    rule: "A34",
    condition: "no linux/amd64 child",
    given: async (world) => {
      await world.docker("arm");
      await world.list("list", [{ label: "arm", platform: arm64 }, { label: "arm" }], { reference: "1" });
    },
    request,
    headers: oldClient,
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  {
    rule: "A35",
    condition: "the child was deleted",
    given: async (world) => {
      await listed(world);
      await world.expect("DELETE /v2/app/manifests/<child>", 202);
    },
    request,
    headers: oldClient,
    status: 404,
    errors: [{ code: "MANIFEST_UNKNOWN" }],
  },
  ...[undefined, "*/*", `${dockerManifestList}, ${dockerManifest}`].map(
    (accept): Row => ({
      rule: "A36",
      condition: "the client takes the list: by silence, by a wildcard, by name",
      given: listed,
      request,
      ...(accept !== undefined && { headers: { Accept: accept } }),
      status: 200,
      content: "<list>",
      ...(accept?.includes(dockerManifestList) !== true && {
        differs: { seed: "400 `MANIFEST_INVALID`", because: "M9" },
      }),
    }),
  ),
  {
    rule: "A36",
    condition: "Accept names neither schema 2 nor the list",
    given: listed,
    request,
    headers: { Accept: ociManifest },
    status: 200,
    content: "<list>",
    differs: { seed: "400 `MANIFEST_INVALID`", because: "M9" },
  },
  {
    rule: "A38",
    condition: "the child is an OCI manifest, and not accepted",
    given: listOfOci,
    request,
    headers: oldClient,
    status: 404,
    errors: [
      {
        code: "MANIFEST_UNKNOWN",
        message: "OCI manifest found, but accept header does not support OCI manifests",
      },
    ],
    differs: { seed: "200, the child", because: "M9" },
  },
  {
    rule: "A38",
    condition: "the child is an OCI manifest, and accepted",
    given: listOfOci,
    request,
    headers: { Accept: `${dockerManifest}, ${ociManifest}` },
    status: 200,
    content: "<child>",
  },
  {
    rule: "A39",
    condition: "If-None-Match has the child that would be sent",
    given: listed,
    request,
    headers: { ...oldClient, "If-None-Match": '"<child>"' },
    status: 304,
    answer: { ETag: '"<child>"', "Docker-Content-Digest": "<child>" },
    differs: { seed: "200", because: "M9" },
  },
  {
    rule: "A39",
    condition: "If-None-Match has the list that would not be sent",
    given: listed,
    request,
    headers: { ...oldClient, "If-None-Match": '"<list>"' },
    status: 200,
    content: "<child>",
    differs: { seed: "304", because: "M9" },
  },
];
