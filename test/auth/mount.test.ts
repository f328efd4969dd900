import { beforeAll, describe, expect, it } from "vitest";
import { blobOf, expectStatus, imageOf, pushBlob, putManifest, type TestBlob } from "../support/content.ts";
import { authorized } from "../support/registry.ts";
import { basic, bearer, challengeOf, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld } from "./world.ts";

let world: AuthWorld;
let secret: TestBlob;
let own: TestBlob;

beforeAll(async () => {
  world = await createAuthWorld();
  secret = await blobOf("only the outsider may read this");
  own = await blobOf("the team's");
  await expectStatus(pushBlob(world.as(world.accounts.outsider), "other/app", secret), 201);
  await expectStatus(pushBlob(world.as(world.accounts.writer), "team/app", own), 201);
});

const mount = (blob: TestBlob, from?: string) =>
  `POST /v2/team/b/blobs/uploads/?mount=${blob.digest}${from === undefined ? "" : `&from=${from}`}`;

describe("a mount", () => {
  it("from a repository that the caller may not read becomes an upload, as from one that is not there", async () => {
    const client = world.as(world.accounts.writer);
    const absent = `sha256:${"0".repeat(64)}` as TestBlob["digest"];
    for (const request of [
      mount(secret, "other/app"),
      mount(secret, "other/absent"),
      mount(secret),
      mount({ ...secret, digest: absent }, "other/app"),
      mount({ ...secret, digest: absent }),
    ]) {
      const answer = await expectStatus(client.ask(request), 202);
      expect(new URL(answer.headers.get("Location") ?? "").pathname).toMatch(
        /^\/v2\/team\/b\/blobs\/uploads\//,
      );
    }
    await expectStatus(client.ask(`HEAD /v2/team/b/blobs/${secret.digest}`), 404);
  });

  it("from one that he may read is done, with a token too if it is for both", async () => {
    const writer = basic(world.accounts.writer);
    const target = "repository:team/b:pull,push";
    const narrow = authorized(world.stranger, bearer(await getToken(world.stranger, [target], writer)));
    const asked = challengeOf(await expectStatus(narrow.ask(mount(own, "team/app")), 401));
    expect(asked).toMatchObject({ scope: `repository:team/app:pull ${target}`, error: "insufficient_scope" });
    await expectStatus(narrow.ask(mount(own)), 202);
    const wide = bearer(await getToken(world.stranger, [target, "repository:team/app:pull"], writer));
    await expectStatus(authorized(world.stranger, wide).ask(mount(own, "team/app")), 201);
    await expectStatus(world.as(world.accounts.writer).ask(mount(own)), 201);
  });
});

describe("a mount with a token for both, of which the source is denied", () => {
  it("becomes an upload", async () => {
    const writer = basic(world.accounts.writer);
    const scopes = ["repository:team/b:pull,push", "repository:other/app:pull"];
    const client = authorized(world.stranger, bearer(await getToken(world.stranger, scopes, writer)));
    await expectStatus(client.ask(mount(secret, "other/app")), 202);
  });
});

describe("a blob of another repository", () => {
  it("is not read through a manifest that names it, nor had for knowing its digest", async () => {
    const client = world.as(world.accounts.writer);
    const image = await imageOf(secret, []);
    const answer = await expectStatus(putManifest(client, "team/b", "1", image), 400);
    expect(await answer.text()).toContain("MANIFEST_BLOB_UNKNOWN");
    const other = await blobOf("other bytes under its digest");
    await expectStatus(pushBlob(client, "team/b", { ...other, digest: secret.digest }), 400);
    await expectStatus(client.ask(`GET /v2/team/b/blobs/${secret.digest}`), 404);
    const read = await world.as(world.accounts.outsider).ask(`GET /v2/other/app/blobs/${secret.digest}`);
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(secret.bytes);
  });

  it("is not reached by an upload session of another repository", async () => {
    const started = await world.as(world.accounts.outsider).ask("POST /v2/other/app/blobs/uploads/");
    const location = (started.headers.get("Location") ?? "").replace("other/app", "team/b");
    await expectStatus(world.as(world.accounts.writer).ask(`PATCH ${location}`, { body: "x" }), 404);
  });
});
