import { beforeAll, describe, expect, it } from "vitest";
import { blobOf, expectStatus, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { Target } from "./target.ts";

let target: Target;
beforeAll(async () => {
  target = await Target.create();
});

const digest = `sha256:${"0".repeat(64)}`;

/** Everything that can be asked of a repository. */
const requests: readonly ((name: string) => string)[] = [
  (name) => `GET /v2/${name}/manifests/1`,
  (name) => `HEAD /v2/${name}/manifests/${digest}`,
  (name) => `PUT /v2/${name}/manifests/1`,
  (name) => `DELETE /v2/${name}/manifests/1`,
  (name) => `GET /v2/${name}/tags/list`,
  (name) => `GET /v2/${name}/blobs/${digest}`,
  (name) => `DELETE /v2/${name}/blobs/${digest}`,
  (name) => `POST /v2/${name}/blobs/uploads/`,
  (name) => `PUT /v2/${name}/blobs/uploads/1?digest=${digest}`,
  (name) => `GET /v2/${name}/referrers/${digest}`,
];

function bodyFor(request: string) {
  const { mediaType, bytes } = target.image;
  return request.startsWith("PUT ") ? { headers: { "Content-Type": mediaType }, body: bytes } : {};
}

describe("names that are none", () => {
  it.each([
    ["dot segments", "../app"],
    ["dot segments within", "app/../../../etc"],
    ["encoded dot segments", "%2e%2e/%2e%2e/etc"],
    ["dots encoded twice", "%252e%252e/app"],
    ["dots in a component", "a/..b"],
    ["an encoded slash", "a%2Fapp"],
    ["an encoded slash in lower case", "a%2fapp"],
    ["an encoded backslash", "a%5Capp"],
    ["a slash in overlong UTF-8", "a%c0%afapp"],
    ["a zero byte", "app%00"],
    ["a zero byte within", "a%00b"],
    ["a line end", "app%0d%0aX-Header:%20x"],
    ["a space", "a%20b"],
    ["a plus sign", "a+b"],
    ["a colon", "a:5000/b"],
    ["an at sign", "a@b"],
    ["capitals", "App"],
    ["a letter with an accent", "caf%C3%A9"],
    ["letters that look like others", "%D0%B0pp"],
    ["digits of another alphabet", "app%EF%BC%91"],
    ["a letter whose small form is ASCII", "%E2%84%AAube"],
    ["an emoji", "%F0%9F%90%B3"],
    ["a right-to-left mark", "app%E2%80%AE"],
    ["half an escape", "a%"],
    ["an escape that is none", "a%zz"],
    ["bytes that are no UTF-8", "a%E0%A4"],
    ["256 bytes", "x".repeat(256)],
    ["256 bytes in components", `${"a/".repeat(127)}ab`],
    ["10,000 bytes", "x".repeat(10_000)],
    ["10,000 components", `${"a/".repeat(10_000)}a`],
    ["an underscore first, where keys of the registry begin", "_uploads"],
    ["the same in a component", "app/_uploads"],
    ["a separator last", "app-"],
    ["separators that do not go together", "a_-b"],
    ["an empty component", "a//b"],
    ["names of JavaScript", "__proto__"],
  ])("%s", async (_, name) => {
    for (const request of requests) {
      const text = request(name);
      const answer = await target.refuses(text, bodyFor(text));
      expect([400, 404, 405], text).toContain(answer.status);
    }
  });
});

describe("names that are words of the API", () => {
  it.each([
    "manifests",
    "blobs",
    "tags",
    "referrers",
    "uploads",
    "v2",
    "token",
    "constructor",
    "team/blobs",
    "team/manifests",
    "team/tags",
    "tags/list",
    "blobs/uploads",
    "blobs/uploads/x",
    "manifests/1",
    "a/manifests/b/blobs/uploads/c/tags/list",
  ])("%s is pushed to, pulled from, listed and deleted from like any other", async (name) => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, name, "list", "a");
    await expectStatus(putManifest(client, name, "uploads", image), 201);
    for (const reference of ["list", "uploads", image.digest]) {
      const answer = await expectStatus(client.ask(`GET /v2/${name}/manifests/${reference}`), 200);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(image.bytes);
    }
    const layer = await blobOf("layer of a");
    const blob = await expectStatus(client.ask(`GET /v2/${name}/blobs/${layer.digest}`), 200);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(layer.bytes);
    const list = await expectStatus(client.ask(`GET /v2/${name}/tags/list`), 200);
    expect(await list.json()).toEqual({ name, tags: ["list", "uploads"] });
    const opened = await expectStatus(client.ask(`POST /v2/${name}/blobs/uploads/`), 202);
    await expectStatus(client.ask(`GET ${opened.headers.get("Location")}`), 204);
    await expectStatus(client.ask(`POST /v2/other/blobs/uploads/?mount=${layer.digest}&from=${name}`), 201);
    await expectStatus(client.ask(`GET /v2/${name}/referrers/${image.digest}`), 200);
    await expectStatus(client.ask(`DELETE /v2/${name}/manifests/${image.digest}`), 202);
    const empty = await expectStatus(client.ask(`GET /v2/${name}/tags/list`), 200);
    expect(await empty.json()).toEqual({ name, tags: [] });
  });
});

describe("references that are none", () => {
  it.each([
    ["dots", "..."],
    ["encoded dots and slashes", "..%2f..%2fetc"],
    ["a zero byte", "1%00"],
    ["a space", "%20"],
    ["a line end", "1%0d%0aX:%20x"],
    ["129 characters", "x".repeat(129)],
    ["10,000 characters", "x".repeat(10_000)],
    ["a letter of another alphabet", "%D0%B0"],
    ["digits of another alphabet", "%EF%BC%91"],
    ["an empty digest", "sha256:"],
    ["a digest that is a path", "sha256:..%2f..%2fx"],
    ["a digest with a zero byte", `${digest}%00`],
    ["a digest with a line end", `${digest}%0a`],
    ["a digest of digits of another alphabet", `sha256:${"%EF%BC%90".repeat(64)}`],
    ["a digest of 10,000 digits", `sha256:${"0".repeat(10_000)}`],
    ["a digest in capitals", `sha256:${"A".repeat(64)}`],
    ["two digests", `${digest}:${digest}`],
    ["an algorithm of JavaScript", `constructor:${"0".repeat(64)}`],
    ["a tag and a digest", `1@${digest}`],
  ])("%s", async (_, reference) => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const request = `${method} /v2/app/manifests/${reference}`;
      const answer = await target.refuses(request, bodyFor(request));
      expect([400, 404], request).toContain(answer.status);
    }
    for (const request of [`GET /v2/app/blobs/${reference}`, `DELETE /v2/app/blobs/${reference}`]) {
      expect((await target.refuses(request)).status, request).toBe(400);
    }
    expect((await target.refuses(`GET /v2/app/referrers/${reference}`)).status).toBe(400);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const answer = await target.refuses(`${method} /v2/app/blobs/uploads/${reference}?digest=${digest}`);
      expect([400, 404]).toContain(answer.status);
    }
  });

  it("a digest with an encoded colon is a digest", async () => {
    const reference = target.image.digest.replace(":", "%3A");
    await expectStatus(target.client.ask(`GET /v2/app/manifests/${reference}`), 200);
  });

  it("tags that read like parts of keys are tags", async () => {
    const client = createTestRegistry().client();
    const tags = ["_", "__proto__", "current", "latest", "link", "null", "sha256-0", "x..x"];
    const image = await pushImage(client, "app", undefined, "a");
    await pushBlob(client, "app", await blobOf("more"));
    for (const tag of tags) await expectStatus(putManifest(client, "app", tag, image), 201);
    const list = await expectStatus(client.ask("GET /v2/app/tags/list"), 200);
    expect(await list.json()).toEqual({ name: "app", tags });
  });
});
