import { decodeJwt, decodeProtectedHeader } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { expectStatus } from "../support/content.ts";
import { authorized, type Client } from "../support/registry.ts";
import { basic, bearer, challengeOf, getToken, makeSigner } from "./credentials.ts";
import { type AuthWorld, createAuthWorld, identityClaims, pushAsRoot } from "./world.ts";

let world: AuthWorld;

beforeAll(async () => {
  world = await createAuthWorld();
  await pushAsRoot(world, "team/app");
  await pushAsRoot(world, "public/app");
});

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
}

async function postForm(client: Client, form: Record<string, string>): Promise<Response> {
  return client.ask("POST /token", {
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
}

async function tokenAnswer(answer: Promise<Response>): Promise<TokenAnswer> {
  return (await (await expectStatus(answer, 200)).json()) as TokenAnswer;
}

function entriesOf(token: string): unknown {
  return decodeJwt(token).access;
}

describe("GET /token", () => {
  const ask = (query: string, authorization?: string) =>
    world.stranger.ask(`GET /token${query}`, {
      ...(authorization !== undefined && { headers: { Authorization: authorization } }),
    });

  it("answers as clients of both kinds read it, and is kept by nobody", async () => {
    const answer = await ask(
      "?service=registry.example&scope=repository:team/app:pull",
      basic(world.accounts.reader),
    );
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    const body = await tokenAnswer(Promise.resolve(answer));
    expect(body.access_token).toBe(body.token);
    expect(body.expires_in).toBe(300);
    expect(Date.parse(body.issued_at)).toBe(world.now() * 1000);
    expect(decodeProtectedHeader(body.token)).toEqual({ alg: "ES256", typ: "JWT", kid: world.signer.id });
    expect(decodeJwt(body.token)).toEqual({
      iss: "skerry",
      aud: "registry.example",
      sub: "reader",
      iat: world.now(),
      exp: world.now() + 300,
      jti: expect.any(String),
      access: [{ type: "repository", name: "team/app", actions: ["pull"] }],
    });
  });

  it("gives of the scopes what the caller may do, in as many parameters or words as they come", async () => {
    const scopes = [
      "repository:team/app:pull,push repository:team/b:*",
      "repository:other/app:pull",
      "repository:public/app:push,pull",
      "repository(plugin):team/plugin:pull,push",
    ];
    expect(entriesOf(await getToken(world.stranger, scopes, basic(world.accounts.writer)))).toEqual([
      { type: "repository", name: "team/app", actions: ["pull", "push"] },
      { type: "repository", name: "team/b", actions: ["pull", "push"] },
      { type: "repository", name: "other/app", actions: [] },
      { type: "repository", name: "public/app", actions: ["pull"] },
      { type: "repository", class: "plugin", name: "team/plugin", actions: ["pull", "push"] },
    ]);
  });

  it("gives everybody a token for what is public", async () => {
    const token = await getToken(world.stranger, [
      "repository:public/app:pull,push",
      "repository:team/app:pull",
    ]);
    expect(entriesOf(token)).toEqual([
      { type: "repository", name: "public/app", actions: ["pull"] },
      { type: "repository", name: "team/app", actions: [] },
    ]);
    const client = authorized(world.stranger, bearer(token));
    await expectStatus(client.ask("GET /v2/"), 200);
    await expectStatus(client.ask("GET /v2/public/app/manifests/1"), 200);
    await expectStatus(client.ask("GET /v2/team/app/manifests/1"), 401);
  });

  it("gives nobody a token where nothing is public", async () => {
    const closed = await createAuthWorld({ PUBLIC_REPOSITORIES: "" });
    const answer = await expectStatus(closed.stranger.ask("GET /token"), 401);
    expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Basic /);
  });

  it.each(["?offline_token=true&client_id=docker", "?account=reader&service=registry.example"])(
    "takes %s, which docker sends, and gives no refresh token",
    async (query) => {
      const body = await tokenAnswer(ask(query, basic(world.accounts.reader)));
      expect(body).not.toHaveProperty("refresh_token");
    },
  );

  it("refuses another service, whose challenge it was not", async () => {
    await expectStatus(ask("?service=elsewhere.example", basic(world.accounts.reader)), 400);
  });

  it("is a password's business: a token is not enough", async () => {
    const token = await getToken(world.stranger, [], basic(world.accounts.reader));
    await expectStatus(ask("", bearer(token)), 401);
  });

  it.each(["GET", "POST"])("%s says what to set where there is no TOKEN_KEY", async (method) => {
    const { stranger, as, accounts } = await createAuthWorld({ TOKEN_KEY: "" });
    const answer = await expectStatus(stranger.ask(`${method} /token`), 404);
    expect(await answer.text()).toContain("TOKEN_KEY");
    await expectStatus(as(accounts.reader).ask("GET /v2/team/app/manifests/1"), 404);
  });
});

describe("POST /token", () => {
  it("takes a password, and scopes in one parameter", async () => {
    const { name, key } = world.accounts.writer;
    const body = await tokenAnswer(
      postForm(world.stranger, {
        grant_type: "password",
        service: "registry.example",
        client_id: "containerd-client",
        username: name,
        password: key,
        scope: "repository:team/app:pull,push repository:public/app:pull",
      }),
    );
    expect(body).not.toHaveProperty("refresh_token");
    expect(entriesOf(body.access_token)).toEqual([
      { type: "repository", name: "team/app", actions: ["pull", "push"] },
      { type: "repository", name: "public/app", actions: ["pull"] },
    ]);
  });

  async function refreshTokenOf({ name, key }: { name: string; key: string }, in_: AuthWorld = world) {
    const form = { grant_type: "password", username: name, password: key, access_type: "offline" };
    const { refresh_token: token } = await tokenAnswer(postForm(in_.stranger, form));
    return token ?? "";
  }

  it("gives a refresh token that is asked for, which is good without an end", async () => {
    const refreshToken = await refreshTokenOf(world.accounts.reader);
    expect(decodeJwt(refreshToken)).not.toHaveProperty("exp");
    const later = await createAuthWorld();
    later.registry.clock.advance(400 * 24 * 3600 * 1000);
    const form = {
      grant_type: "refresh_token",
      refresh_token: await refreshTokenOf(later.accounts.reader, later),
      scope: "repository:team/app:pull,push",
    };
    later.registry.clock.advance(400 * 24 * 3600 * 1000);
    const body = await tokenAnswer(postForm(later.stranger, form));
    expect(entriesOf(body.token)).toEqual([{ type: "repository", name: "team/app", actions: ["pull"] }]);
  });

  it("takes no refresh token of an account whose key was replaced", async () => {
    const refreshToken = await refreshTokenOf(world.accounts.reader);
    const { accounts } = readConfig({
      ACCOUNTS: JSON.stringify([
        { ...world.accounts.reader.entry, hash: `sha256:${"a".repeat(64)}` },
        world.accounts.root.entry,
      ]),
    });
    const rotated = world.registry.client("rotated", { accounts });
    await expectStatus(postForm(rotated, { grant_type: "refresh_token", refresh_token: refreshToken }), 401);
    const gone = world.registry.client("gone", { accounts: new Map() });
    await expectStatus(postForm(gone, { grant_type: "refresh_token", refresh_token: refreshToken }), 401);
  });

  it("tells access and refresh tokens apart", async () => {
    const refreshToken = await refreshTokenOf(world.accounts.root);
    await expectStatus(authorized(world.stranger, bearer(refreshToken)).ask("GET /v2/"), 401);
    const token = await getToken(world.stranger, [], basic(world.accounts.root));
    await expectStatus(postForm(world.stranger, { grant_type: "refresh_token", refresh_token: token }), 401);
  });

  it("gives an identity token no refresh token, which would outlive it", async () => {
    const form = {
      grant_type: "password",
      username: "oidc",
      password: await world.issuer.sign(identityClaims(world)),
      access_type: "offline",
    };
    expect(await tokenAnswer(postForm(world.stranger, form))).not.toHaveProperty("refresh_token");
  });

  it.each([
    ["another grant type", { grant_type: "client_credentials" }, 400],
    ["no grant type", {}, 400],
    ["a wrong key", { grant_type: "password", username: "reader", password: "wrong" }, 401],
    ["no key", { grant_type: "password", username: "reader" }, 401],
    ["no refresh token", { grant_type: "refresh_token" }, 401],
  ] as const)("refuses %s", async (_, form, status) => {
    await expectStatus(postForm(world.stranger, form as Record<string, string>), status);
  });

  it("refuses what is no form, and a form of megabytes", async () => {
    const headers = { "Content-Type": "application/json" };
    await expectStatus(world.stranger.ask("POST /token", { headers, body: "{}" }), 400);
    await expectStatus(postForm(world.stranger, { grant_type: "password", password: "x".repeat(1e6) }), 400);
  });
});

describe("a token", () => {
  it("is good for five minutes, and no longer", async () => {
    const own = await createAuthWorld();
    const token = await getToken(own.stranger, [], basic(own.accounts.reader));
    const client = authorized(own.stranger, bearer(token));
    own.registry.clock.advance(299_000);
    await expectStatus(client.ask("GET /v2/"), 200);
    own.registry.clock.advance(1000);
    expect(challengeOf(await expectStatus(client.ask("GET /v2/"), 401)).error).toBe("invalid_token");
  });

  it("is good for one service alone", async () => {
    const token = await getToken(world.stranger, [], basic(world.accounts.reader));
    const client = authorized(world.stranger, bearer(token));
    await expectStatus(client.ask("GET https://mirror.example/v2/"), 401);
  });

  it("does not take away what needs none", async () => {
    const token = await getToken(world.stranger, ["repository:team/app:pull"], basic(world.accounts.reader));
    const client = authorized(world.stranger, bearer(token));
    await expectStatus(client.ask("GET /v2/public/app/manifests/1"), 200);
  });

  it("of the key before is good while that is believed, and then no more", async () => {
    const next = await makeSigner();
    const client = (variables: Record<string, string>) =>
      world.registry.client("rotated", { tokenKeys: readConfig(variables).tokenKeys });
    const during = client({ TOKEN_KEY: next.secret, TOKEN_KEY_PREVIOUS: world.signer.secret });
    const after = client({ TOKEN_KEY: next.secret });

    const old = bearer(await getToken(world.stranger, [], basic(world.accounts.reader)));
    await expectStatus(authorized(during, old).ask("GET /v2/"), 200);
    await expectStatus(authorized(after, old).ask("GET /v2/"), 401);

    const token = await getToken(during, [], basic(world.accounts.reader));
    expect(decodeProtectedHeader(token).kid).toBe(next.id);
    await expectStatus(authorized(after, bearer(token)).ask("GET /v2/"), 200);
  });
});
