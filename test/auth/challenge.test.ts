import { beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "../support/content.ts";
import { authorized, type Client } from "../support/registry.ts";
import { basic, bearer, challengeOf, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld, pushAsRoot } from "./world.ts";

let world: AuthWorld;

beforeAll(async () => {
  world = await createAuthWorld();
  await pushAsRoot(world, "team/app");
  await pushAsRoot(world, "public/app");
});

describe("the challenge", () => {
  it("has one scheme, quoted values, sorted scopes, and no space after a comma", async () => {
    const answer = await world.stranger.ask("POST /v2/team/app/blobs/uploads/?mount=x&from=alpha/app");
    expect(answer.headers.get("WWW-Authenticate")).toBe(
      'Bearer realm="https://registry.example/token",service="registry.example",' +
        'scope="repository:alpha/app:pull repository:team/app:pull,push"',
    );
  });

  it("names no error when no token was sent, nor for Basic", async () => {
    expect(challengeOf(await world.stranger.ask("GET /v2/"))).toEqual({
      realm: "https://registry.example/token",
      service: "registry.example",
    });
    const wrong = authorized(world.stranger, basic({ name: "reader", key: "wrong" }));
    expect(challengeOf(await expectStatus(wrong.ask("GET /v2/"), 401))).not.toHaveProperty("error");
  });

  it("is Basic where there is no TOKEN_KEY", async () => {
    const { stranger } = await createAuthWorld({ TOKEN_KEY: "" });
    const answer = await expectStatus(stranger.ask("GET /v2/"), 401);
    expect(answer.headers.get("WWW-Authenticate")).toBe('Basic realm="skerry", charset="UTF-8"');
  });

  it("of a repository whose name is no name holds no scope", async () => {
    const { stranger } = await createAuthWorld({ PUBLIC_REPOSITORIES: "" });
    const answer = await expectStatus(stranger.ask('GET /v2/team/App",x="/tags/list'), 401);
    expect(challengeOf(answer)).not.toHaveProperty("scope");
  });

  it("names what would have had to be allowed", async () => {
    const answer = await world.stranger.ask("DELETE /v2/team/app/manifests/1");
    expect(await answer.json()).toEqual({
      errors: [
        {
          code: "UNAUTHORIZED",
          message: "authentication required",
          detail: [{ Type: "repository", Class: "", Name: "team/app", Action: "delete" }],
        },
      ],
    });
  });
});

describe("the catalog", () => {
  const catalog = async (client: Client) => {
    const answer = await expectStatus(client.ask("GET /v2/_catalog"), 200);
    return ((await answer.json()) as { readonly repositories: readonly string[] }).repositories;
  };
  const withToken = async (authorization?: string) =>
    authorized(world.stranger, bearer(await getToken(world.stranger, ["registry:catalog:*"], authorization)));

  it("shows an account what it may pull, by Basic and by token", async () => {
    const { reader, outsider, root } = world.accounts;
    for (const [account, names] of [
      [reader, ["public/app", "team/app"]],
      [outsider, ["public/app"]],
      [root, ["public/app", "team/app"]],
    ] as const) {
      expect(await catalog(world.as(account))).toEqual(names);
      expect(await catalog(await withToken(basic(account)))).toEqual(names);
    }
    expect(await catalog(await withToken())).toEqual(["public/app"]);
  });

  it("asks for a token of its own", async () => {
    expect(challengeOf(await world.stranger.ask("GET /v2/_catalog")).scope).toBe("registry:catalog:*");
    const token = await getToken(world.stranger, ["repository:team/app:pull"], basic(world.accounts.reader));
    const answer = await authorized(world.stranger, bearer(token)).ask("GET /v2/_catalog");
    expect(challengeOf(answer)).toMatchObject({ scope: "registry:catalog:*", error: "insufficient_scope" });
  });

  it("needs no token where everybody may do everything, or nobody can log in", async () => {
    await pushAsRoot(world, "team/app");
    expect(await catalog(world.registry.client("open", { anonymous: "all" }))).toEqual([
      "public/app",
      "team/app",
    ]);
    const readable = world.registry.client("readable", {
      anonymous: "pull",
      accounts: new Map(),
      identityIssuers: [],
    });
    expect(await catalog(readable)).toEqual(["public/app", "team/app"]);
  });
});
