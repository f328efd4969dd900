import { beforeAll, describe, expect, it } from "vitest";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { dockerManifest, ociImageConfig, ociIndex, ociManifest } from "../../src/oci/media-type.ts";
import { blobOf, expectStatus, pushBlob, type TestBlob } from "../support/content.ts";
import { Target } from "./target.ts";

let target: Target;
let config: TestBlob;
beforeAll(async () => {
  target = await Target.create();
  config = await blobOf("{}");
  await expectStatus(pushBlob(target.client, "app", config), 201);
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const index = (more: object = {}) => ({ schemaVersion: 2, mediaType: ociIndex, manifests: [], ...more });
const image = (more: object = {}) => ({
  schemaVersion: 2,
  mediaType: ociManifest,
  config: { mediaType: ociImageConfig, digest: config.digest, size: 2 },
  layers: [],
  ...more,
});
/** The index with text instead of its last brace. */
const ending = (text: string) => JSON.stringify(index()).slice(0, -1) + text;
const missing = (number: number) => ({
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  digest: `sha256:${String(number).padStart(64, "0")}`,
  size: 1,
});

/** PUTs a body under a tag of its own; what is accepted must come back byte for byte. */
async function put(body: object | string | Uint8Array<ArrayBuffer>, type: string): Promise<Response> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const bytes = typeof body === "string" ? utf8(body) : isRaw ? body : utf8(JSON.stringify(body));
  const answer = await target.send("PUT /v2/app/manifests/put", {
    headers: { "Content-Type": type },
    body: bytes,
  });
  if (answer.status === 201) {
    const stored = await target.client.ask("GET /v2/app/manifests/put");
    expect(stored.headers.get("Content-Type")).toBe(type);
    expect(new Uint8Array(await stored.arrayBuffer())).toEqual(bytes);
  }
  return answer;
}

describe("bodies that are no manifest", () => {
  it.each([
    ["nested 10,000 arrays deep", () => ending(`,"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`)],
    ["nested 10,000 objects deep", () => ending(`,"x":${'{"x":'.repeat(10_000)}1${"}".repeat(10_000)}}`)],
    ["nested without an end", () => "[".repeat(4_000_000)],
    ["a byte order mark", () => `\ufeff${ending("}")}`],
    ["UTF-16", () => new Uint8Array(new Uint16Array(Array.from(ending("}"), (c) => c.charCodeAt(0))).buffer)],
    ["bytes that are no UTF-8", () => new Uint8Array([...utf8(ending(',"x":"')), 0xff, 0xfe, ...utf8('"}')])],
    ["garbage after the object", () => ending("}garbage")],
    ["a second object", () => ending("}{}")],
    ["a zero byte after the object", () => ending("}\0")],
    ["a comment", () => ending("}/* */")],
    ["a comma too many", () => ending(",}")],
    ["numbers that are no JSON", () => ending(',"x":NaN}')],
    ["a control character in a string", () => ending(',"x":"\u0001"}')],
    ["a media type of 1 MB", () => JSON.stringify(index({ mediaType: "x".repeat(1_000_000) }))],
    [
      "20,000 references",
      () => JSON.stringify(index({ manifests: Array.from({ length: 20_000 }, (_, n) => missing(n)) })),
    ],
    [
      "800 references that are missing",
      () => JSON.stringify(index({ manifests: Array.from({ length: 800 }, (_, n) => missing(n)) })),
    ],
    [
      "a size that no number holds",
      () => ending("}").replace('"manifests":[]', `"manifests":[{"size":9007199254740993}]`),
    ],
    [
      "a digest of 1 MB",
      () => JSON.stringify(index({ manifests: [{ ...missing(1), digest: "x".repeat(1_000_000) }] })),
    ],
    [
      "a digest that is a path",
      () => JSON.stringify(index({ manifests: [{ ...missing(1), digest: "sha256:../../../x" }] })),
    ],
    [
      "a subject that is a path",
      () => JSON.stringify(index({ subject: { ...missing(1), digest: "../../../x" } })),
    ],
  ])("%s", async (_, body) => {
    const answer = await put(body(), ociIndex);
    expect(answer.status).toBe(400);
  });

  it.each([
    "schemaVersion",
    "mediaType",
    "manifests",
    "config",
    "layers",
    "subject",
    "artifactType",
    "annotations",
  ])("the key %s twice, plain, escaped and in capitals", async (key) => {
    const escaped = `\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${key.slice(1)}`;
    for (const other of [key, escaped, key.toUpperCase()]) {
      const answer = await put(ending(`,"${key}":null,"${other}":null}`), ociIndex);
      expect(answer.status, other).toBe(400);
    }
  });

  it("errors do not repeat what is large", async () => {
    const layers = Array.from({ length: 700 }, (_, n) => ({
      ...missing(n),
      digest: `${n}${"x".repeat(5_000)}`,
    }));
    const answer = await put(image({ layers }), ociManifest);
    expect(answer.status).toBe(400);
    expect((await answer.text()).length).toBeLessThan(500_000);
  });
});

describe("bodies that are odd, and manifests all the same", () => {
  it.each([
    ["3.9 MB of annotations", { annotations: { a: "x".repeat(3_900_000) } }],
    ["100,000 keys", { x: Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`k${n}`, n])) }],
    [
      "names of every object",
      JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":2,"hasOwnProperty":3}'),
    ],
    ["the same in annotations", { annotations: JSON.parse('{"__proto__":"a","constructor":"b","":"c"}') }],
    ["a lone surrogate", { annotations: { a: "\ud800" } }],
    ["annotations in other alphabets", { annotations: { 名前: "🐳\u0000\u202e" } }],
    ["an artifactType of 100 kB", { artifactType: "x".repeat(100_000) }],
  ])("%s", async (_, more) => {
    const { digest } = target.image;
    const subject = { mediaType: ociManifest, digest, size: target.image.bytes.byteLength };
    const answer = await put(index({ ...more, subject }), ociIndex);
    expect(answer.status).toBe(201);
    const listed = await target.client.ask(`GET /v2/app/referrers/${digest}`);
    expect(listed.status).toBe(200);
    const own = answer.headers.get("Docker-Content-Digest");
    let page = await listed.json<{ manifests: Descriptor[] }>();
    for (let link = listed.headers.get("Link"); link !== null; ) {
      const next = await target.client.ask(`GET ${/<(.*)>/.exec(link)?.[1]}`);
      const { manifests } = await next.json<{ manifests: Descriptor[] }>();
      page = { manifests: [...page.manifests, ...manifests] };
      link = next.headers.get("Link");
    }
    const entry = page.manifests.find((descriptor) => descriptor.digest === own);
    expect(entry?.annotations).toEqual(more.annotations);
  });

  it("20,000 times the same reference", async () => {
    const layer = { mediaType: "text/x", digest: config.digest, size: 2 };
    const answer = await put(image({ layers: Array.from({ length: 20_000 }, () => layer) }), ociManifest);
    expect(answer.status).toBe(201);
  });
});

describe("values of the wrong type", () => {
  const wrong = [
    null,
    true,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    [null],
    [[]],
    {},
    { "": {} },
    { mediaType: {}, digest: [] },
  ];
  const fields = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "subject",
    "artifactType",
    "annotations",
  ];
  const inDescriptor = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "artifactType",
    "platform",
    "data",
  ];

  it.each(fields)("%s of an image and of an index", async (field) => {
    for (const value of wrong) {
      await put(image({ [field]: value }), ociManifest);
      await put(
        image({ [field]: value, ...(field !== "mediaType" && { mediaType: dockerManifest }) }),
        dockerManifest,
      );
      await put(index({ [field]: value }), ociIndex);
    }
  });

  it.each(inDescriptor)("%s of a descriptor", async (field) => {
    for (const value of wrong) {
      const descriptor = { mediaType: ociImageConfig, digest: config.digest, size: 2, [field]: value };
      await put(image({ config: descriptor }), ociManifest);
      await put(image({ layers: [descriptor] }), ociManifest);
      await put(image({ subject: descriptor }), ociManifest);
      await put(index({ manifests: [descriptor] }), ociIndex);
    }
  });

  it("in place of the whole manifest", async () => {
    for (const value of wrong) {
      const answer = await put(JSON.stringify(value), ociManifest);
      expect(answer.status).toBe(400);
    }
  });
});
