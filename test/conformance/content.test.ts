import { describe, expect, test } from "vitest";
import { ociManifest } from "../../src/oci/media-type.ts";
import {
  blobOf,
  closeUpload,
  expectStatus,
  imageOf,
  indexOf,
  noise,
  pushImage,
  putManifest,
} from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

async function codeOf(answer: Response): Promise<string> {
  const { errors } = await answer.json<{ errors: { code: string }[] }>();
  return errors[0]?.code ?? "";
}

describe("pull", () => {
  test("21, 22, 23, 69: Content-Type is what was pushed, without its parameters", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", "1", "a");
    const headers = { "Content-Type": `${ociManifest}; charset=utf-8` };
    await expectStatus(putManifest(client, "app", "2", image, headers), 201);
    const answer = await expectStatus(client.ask("GET /v2/app/manifests/2"), 200);
    expect(answer.headers.get("Content-Type")).toBe(ociManifest);
  });

  test("29, 37: content of one repository is a 404 in every other", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", "1", "a");
    const blob = await blobOf("layer of a");
    await expectStatus(client.ask(`GET /v2/app/blobs/${blob.digest}`), 200);
    for (const target of [`blobs/${blob.digest}`, `manifests/${image.digest}`, "manifests/1"]) {
      for (const method of ["GET", "HEAD"])
        await expectStatus(client.ask(`${method} /v2/other/${target}`), 404);
    }
  });
});

describe("push of blobs", () => {
  test("39, 49: the session has an id of its own, and chunks a minimum", async () => {
    const client = createTestRegistry().client();
    const ids = new Set<string | undefined>();
    for (let turn = 0; turn < 3; turn++) {
      const answer = await expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
      expect(Number(answer.headers.get("OCI-Chunk-Min-Length"))).toBeGreaterThan(0);
      ids.add(new URL(answer.headers.get("Location") ?? "").pathname.split("/").at(-1));
    }
    expect(ids.size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("48: digest-algorithm is taken when it is known, and 400 when not", async () => {
    const client = createTestRegistry().client();
    const blob = await blobOf(noise(1000), "sha512");
    const started = await expectStatus(
      client.ask("POST /v2/app/blobs/uploads/?digest-algorithm=sha512"),
      202,
    );
    await expectStatus(closeUpload(client, started, blob.digest, blob.bytes), 201);
    await expectStatus(client.ask("POST /v2/app/blobs/uploads/?digest-algorithm=md5"), 400);
  });

  test("60: a session is over after a week", async () => {
    const registry = createTestRegistry();
    const client = registry.client();
    const opened = await expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
    const day = 24 * 60 * 60 * 1000;
    registry.clock.advance(6 * day);
    await expectStatus(client.ask(`GET ${opened.headers.get("Location")}`), 204);
    registry.clock.advance(2 * day);
    const answer = await expectStatus(client.ask(`GET ${opened.headers.get("Location")}`), 404);
    expect(await codeOf(answer)).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  const never = "https://registry.example/v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0";

  test.each(["GET", "PATCH", "PUT", "DELETE"])(
    "61: %s on a session that was cancelled or never opened is a 404 BLOB_UPLOAD_UNKNOWN",
    async (method) => {
      const client = createTestRegistry().client();
      const opened = await expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
      const cancelled = opened.headers.get("Location") ?? "";
      await expectStatus(client.ask(`DELETE ${cancelled}`), 204);
      for (const location of [cancelled, never]) {
        const url = new URL(location);
        if (method === "PUT") url.searchParams.set("digest", (await blobOf("more")).digest);
        const body = method === "PATCH" || method === "PUT" ? "more" : null;
        const answer = await expectStatus(client.ask(`${method} ${url}`, { body }), 404);
        expect(await codeOf(answer)).toBe("BLOB_UPLOAD_UNKNOWN");
      }
    },
  );

  test.each(["GET", "DELETE"])("61: %s on a session that is finished is one too", async (method) => {
    const client = createTestRegistry().client();
    const blob = await blobOf("content");
    const opened = await expectStatus(client.ask("POST /v2/app/blobs/uploads/"), 202);
    const patch = `PATCH ${opened.headers.get("Location")}`;
    const patched = await expectStatus(client.ask(patch, { body: blob.bytes }), 202);
    await expectStatus(closeUpload(client, patched, blob.digest), 201);
    const answer = await expectStatus(client.ask(`${method} ${patched.headers.get("Location")}`), 404);
    expect(await codeOf(answer)).toBe("BLOB_UPLOAD_UNKNOWN");
  });
});

describe("push of manifests", () => {
  test("73, 74: a reference that is missing is a MANIFEST_BLOB_UNKNOWN each, in order", async () => {
    const client = createTestRegistry().client();
    const [config, layer] = [await blobOf("{}"), await blobOf("layer")];
    const image = await imageOf(config, [layer]);
    const answer = await expectStatus(putManifest(client, "app", "1", image), 400);
    const { errors } = await answer.json<{ errors: { code: string; detail: string }[] }>();
    expect(errors.map(({ code, detail }) => [code, detail])).toEqual([
      ["MANIFEST_BLOB_UNKNOWN", config.digest],
      ["MANIFEST_BLOB_UNKNOWN", layer.digest],
    ]);
    await expectStatus(client.ask("HEAD /v2/app/manifests/1"), 404);
  });

  test("81, 82, 84: ?tag= sets ten tags and more, each named in OCI-Tag", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", undefined, "a");
    const tags = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const answer = await expectStatus(putManifest(client, "app", `${image.digest}?${query}`, image), 201);
    expect(answer.headers.get("OCI-Tag")?.split(", ").sort()).toEqual([...tags].sort());
    for (const tag of tags) {
      const head = await expectStatus(client.ask(`HEAD /v2/app/manifests/${tag}`), 200);
      expect(head.headers.get("Docker-Content-Digest")).toBe(image.digest);
    }
  });

  test("83: too many are a 414, and none is set", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", undefined, "a");
    const query = Array.from({ length: 1_000 }, (_, index) => `tag=t${index}`).join("&");
    await expectStatus(putManifest(client, "app", `${image.digest}?${query}`, image), 414);
    await expectStatus(client.ask("HEAD /v2/app/manifests/t0"), 404);
  });

  test("79: over 4 MiB it is a 413", async () => {
    const client = createTestRegistry().client();
    const index = await indexOf([], { annotations: { padding: "x".repeat(4 * 1024 * 1024) } });
    expect(await codeOf(await expectStatus(putManifest(client, "app", "1", index), 413))).toBe(
      "MANIFEST_INVALID",
    );
  });

  test("86: If-Match and If-None-Match decide on what the tag names now", async () => {
    const client = createTestRegistry().client();
    const one = await pushImage(client, "app", "1", "a");
    const two = await pushImage(client, "app", undefined, "b");
    await expectStatus(putManifest(client, "app", "1", two, { "If-None-Match": "*" }), 412);
    await expectStatus(putManifest(client, "app", "1", two, { "If-Match": `"${two.digest}"` }), 412);
    await expectStatus(putManifest(client, "app", "1", two, { "If-Match": `"${one.digest}"` }), 201);
    await expectStatus(putManifest(client, "app", "2", one, { "If-None-Match": "*" }), 201);
  });
});

describe("content management", () => {
  test("116: deleting a tag leaves the manifest", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", "1", "a");
    await expectStatus(client.ask("DELETE /v2/app/manifests/1"), 202);
    await expectStatus(client.ask("GET /v2/app/manifests/1"), 404);
    await expectStatus(client.ask(`GET /v2/app/manifests/${image.digest}`), 200);
  });

  test("118: deleting a manifest takes every tag on it", async () => {
    const client = createTestRegistry().client();
    const image = await pushImage(client, "app", "1", "a");
    await expectStatus(putManifest(client, "app", "2", image), 201);
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
    for (const reference of [image.digest, "1", "2"]) {
      await expectStatus(client.ask(`GET /v2/app/manifests/${reference}`), 404);
    }
  });

  test("119, 122: what does not exist is a 404 to delete", async () => {
    const client = createTestRegistry().client();
    const { digest } = await blobOf("never pushed");
    for (const target of ["manifests/1", `manifests/${digest}`, `blobs/${digest}`]) {
      await expectStatus(client.ask(`DELETE /v2/app/${target}`), 404);
    }
  });

  test("115, 117, 120, 123: with deletes switched off each is a 405, and nothing is gone", async () => {
    const registry = createTestRegistry();
    const image = await pushImage(registry.client(), "app", "1", "a");
    const client = registry.client("other", { deleteEnabled: false });
    const blob = await blobOf("layer of a");
    for (const target of ["manifests/1", `manifests/${image.digest}`, `blobs/${blob.digest}`]) {
      await expectStatus(client.ask(`DELETE /v2/app/${target}`), 405);
      await expectStatus(client.ask(`HEAD /v2/app/${target}`), 200);
    }
  });
});
