import { beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { expectStatus } from "../support/content.ts";
import { authorized, type Client } from "../support/registry.ts";
import { basic, bearer, challengeOf, makeSigner, type Signer } from "./credentials.ts";
import { type AuthWorld, createAuthWorld, pushAsRoot } from "./world.ts";

let server: Signer;
let world: AuthWorld;

beforeAll(async () => {
  server = await makeSigner();
  const issuer = {
    issuer: "auth.example",
    audience: "the registry",
    jwks: { keys: [server.publicKey] },
    realm: "https://auth.example/token",
  };
  world = await createAuthWorld({ TOKEN_ISSUERS: JSON.stringify([issuer]) });
  await pushAsRoot(world, "team/app");
  await pushAsRoot(world, "other/app");
});

/** Claims as a Docker token server gives them, with others beside or instead of them. */
function claims(access: unknown, more: Readonly<Record<string, unknown>> = {}) {
  const exp = world.now() + 60;
  return { iss: "auth.example", aud: "the registry", sub: "alice", exp, nbf: world.now(), access, ...more };
}

async function holding(access: unknown, more?: Readonly<Record<string, unknown>>): Promise<Client> {
  return authorized(world.stranger, bearer(await server.sign(claims(access, more))));
}

const pull = [{ type: "repository", name: "team/app", actions: ["pull"] }];

describe("a token of another token server", () => {
  it("is asked for in the challenge, and opens what it says", async () => {
    expect(challengeOf(await world.stranger.ask("GET /v2/team/app/manifests/1"))).toEqual({
      realm: "https://auth.example/token",
      service: "the registry",
      scope: "repository:team/app:pull",
    });
    const client = await holding(pull);
    await expectStatus(client.ask("GET /v2/"), 200);
    await expectStatus(client.ask("GET /v2/team/app/manifests/1"), 200);
    const answer = await expectStatus(client.ask("POST /v2/team/app/blobs/uploads/"), 401);
    expect(challengeOf(answer)).toMatchObject({
      scope: "repository:team/app:pull,push",
      error: "insufficient_scope",
    });
    await expectStatus(client.ask("GET /v2/other/app/manifests/1"), 401);
  });

  it("with the action * opens all of a repository", async () => {
    const client = await holding([{ type: "repository", name: "team/app", actions: ["*"] }]);
    await expectStatus(client.ask("POST /v2/team/app/blobs/uploads/"), 202);
    await expectStatus(client.ask("DELETE /v2/team/app/manifests/absent"), 404);
  });

  it("without the source of a mount makes an upload of it, which other servers cannot be asked to change", async () => {
    const client = await holding([{ type: "repository", name: "team/app", actions: ["pull", "push"] }]);
    const digest = `sha256:${"0".repeat(64)}`;
    const request = `POST /v2/team/app/blobs/uploads/?mount=${digest}&from=other/app`;
    await expectStatus(client.ask(request), 202);
  });

  it("with push alone does not push, which reads too", async () => {
    const client = await holding([{ type: "repository", name: "team/app", actions: ["push"] }]);
    await expectStatus(client.ask("POST /v2/team/app/blobs/uploads/"), 401);
  });

  it("for the catalog shows it, and only then", async () => {
    const client = await holding([{ type: "registry", name: "catalog", actions: ["*"] }]);
    const answer = await expectStatus(client.ask("GET /v2/_catalog"), 200);
    expect(await answer.json()).toEqual({ repositories: ["other/app", "team/app"] });
    await expectStatus((await holding(pull)).ask("GET /v2/_catalog"), 401);
  });

  it("makes nobody manage robots", async () => {
    const client = await holding([{ type: "registry", name: "admin", actions: ["*"] }]);
    await expectStatus(client.ask("GET /v2/_skerry/accounts"), 401);
  });

  it("may be a minute off the clock, and no more", async () => {
    await expectStatus((await holding(pull, { exp: world.now() - 59 })).ask("GET /v2/"), 200);
    await expectStatus((await holding(pull, { exp: world.now() - 60 })).ask("GET /v2/"), 401);
    await expectStatus((await holding(pull, { nbf: world.now() + 60 })).ask("GET /v2/"), 200);
    await expectStatus((await holding(pull, { nbf: world.now() + 61 })).ask("GET /v2/"), 401);
  });

  it.each([
    ["for another audience", { aud: "elsewhere" }],
    ["for our own service", { aud: "registry.example" }],
    ["for no audience", { aud: undefined }],
    ["without an end", { exp: undefined }],
    ["that calls itself ours", { iss: "skerry", aud: "registry.example" }],
    ["of a server that is unknown", { iss: "auth.example.evil.example" }],
    ["of a property of objects", { iss: "__proto__" }],
    ["of no server", { iss: undefined }],
  ])("%s is refused", async (_, more) => {
    const answer = await expectStatus((await holding(pull, more)).ask("GET /v2/"), 401);
    expect(challengeOf(answer).error).toBe("invalid_token");
  });

  it("is no identity token", async () => {
    const key = await server.sign(claims(pull));
    await expectStatus(authorized(world.stranger, basic({ name: "oidc", key })).ask("GET /v2/"), 401);
  });

  it("does not keep our accounts out", async () => {
    await expectStatus(world.as(world.accounts.reader).ask("GET /v2/team/app/manifests/1"), 200);
  });
});

describe("TOKEN_ISSUERS", () => {
  it.each([
    ["our own name", { issuer: "skerry" }],
    ["a realm that is no URL", { realm: "token" }],
    ["HS256", { algorithms: ["HS256"] }],
    ["no keys", { jwks: undefined }],
    ["a word that is none", { trust: "all" }],
  ])("with %s is refused", (_, more) => {
    const issuer = { issuer: "a", audience: "b", jwks: "https://auth.example/keys", ...more };
    expect(() => readConfig({ TOKEN_ISSUERS: JSON.stringify([issuer]) })).toThrow(/^TOKEN_ISSUERS: /);
  });
});
