import { dockerManifest, dockerManifestList, ociIndex, ociManifest } from "../../../src/oci/media-type.ts";
import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const refusal = {
  code: "MANIFEST_UNKNOWN",
  message: "OCI manifest found, but accept header does not support OCI manifests",
  detail: undefined,
};
const notFound = { seed: "404 `MANIFEST_UNKNOWN`", because: "M8" };

/** One manifest of each type, tagged with the name of the type. */
async function everyType(world: World): Promise<void> {
  await world.image("image", { reference: "image" });
  await world.index("index", ["image"], { reference: "index" });
  await world.docker("docker", { reference: "docker" });
  await world.list("list", [{ label: "docker" }], { reference: "list" });
}

const types = { image: ociManifest, index: ociIndex, docker: dockerManifest, list: dockerManifestList };

function image(condition: string, accept: string | undefined, rest: Omit<Row, "condition" | "request">): Row {
  return {
    condition,
    given: (world) => world.image("image", { reference: "1" }),
    request: "GET /v2/app/manifests/1",
    ...(accept !== undefined && { headers: { Accept: accept } }),
    ...rest,
  };
}

const served = { status: 200, content: "<image>" } as const;

/** A.2, and A28 to A32: what is served to whom. */
export const accept: readonly Row[] = [
  image(
    "several items, parameters, junk, another letter case",
    `text/html, ;, ${ociManifest.toUpperCase()}; q=0.5`,
    {
      rule: "A10",
      ...served,
    },
  ),
  image("nothing but junk counts as no header", "nonsense", { rule: "A10", ...served, differs: notFound }),
  image("the type with the weight 0", `${ociManifest};q=0`, {
    rule: "A11",
    status: 404,
    errors: [refusal],
    differs: { seed: "200", because: "M8" },
  }),
  image("everything but the type", `*/*, ${ociManifest};q=0`, {
    rule: "A11",
    status: 404,
    errors: [refusal],
    differs: { seed: "200", because: "M8" },
  }),
  image("no Accept", undefined, { rule: "A12", ...served, differs: notFound }),
  image("`*/*`", "*/*", { rule: "A12", ...served, differs: notFound }),
  image("`application/*`", "application/*", { rule: "A12", ...served, differs: notFound }),
  ...Object.entries(types).map(
    ([label, type]): Row => ({
      rule: "A13",
      condition: "the type itself",
      given: everyType,
      request: `GET /v2/app/manifests/${label}`,
      headers: { Accept: type },
      status: 200,
      content: `<${label}>`,
      answer: { "Content-Type": type, Vary: "Accept" },
    }),
  ),
  ...["1", "<image>"].map((reference) => ({
    ...image("an OCI manifest, Accept leaves it out", `${dockerManifest}, ${ociIndex}`, {
      rule: "A28",
      status: 404,
      errors: [refusal],
      answer: { Vary: "Accept" },
    }),
    request: `GET /v2/app/manifests/${reference}`,
  })),
  ...["index", "<index>"].map(
    (reference): Row => ({
      rule: "A29",
      condition: "an OCI index, Accept leaves it out",
      given: everyType,
      request: `GET /v2/app/manifests/${reference}`,
      headers: { Accept: `${dockerManifest}, ${ociManifest}` },
      status: 404,
      errors: [
        {
          code: "MANIFEST_UNKNOWN",
          message: "OCI index found, but accept header does not support OCI indexes",
          detail: undefined,
        },
      ],
      differs: { seed: "200", because: "the branch was meant, and cannot be reached since M14" },
    }),
  ),
  ...[undefined, "text/html", ociManifest].map(
    (only): Row => ({
      rule: "A30",
      condition: `a Docker manifest, ${only === undefined ? "no Accept" : "Accept leaves it out"}`,
      given: everyType,
      request: "GET /v2/app/manifests/docker",
      ...(only !== undefined && { headers: { Accept: only } }),
      status: 200,
      content: "<docker>",
    }),
  ),
  {
    rule: "A31",
    condition: "a Docker manifest list by digest, Accept leaves it out",
    given: everyType,
    request: "GET /v2/app/manifests/<list>",
    headers: { Accept: dockerManifest },
    status: 200,
    content: "<list>",
  },
  {
    rule: "A32",
    condition: "a Docker manifest list by tag, Accept has it",
    given: everyType,
    request: "GET /v2/app/manifests/list",
    headers: { Accept: `${dockerManifest}, ${dockerManifestList}` },
    status: 200,
    content: "<list>",
  },
];
