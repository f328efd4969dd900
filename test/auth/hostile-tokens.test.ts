import { exportSPKI, importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "../support/content.ts";
import { authorized } from "../support/registry.ts";
import { bearer, challengeOf, makeSigner, type Signer } from "./credentials.ts";
import { requests } from "./requests.ts";
import { base64Url, json } from "./token-text.ts";
import { type AuthWorld, createAuthWorld, identityClaims, pushAsRoot } from "./world.ts";

let world: AuthWorld;
let foreign: Signer;

beforeAll(async () => {
  world = await createAuthWorld();
  foreign = await makeSigner();
  await pushAsRoot(world, "team/app");
});

/** Claims of a token that would be good, with others beside or instead of them. */
function claims(more: Readonly<Record<string, unknown>> = {}) {
  return {
    iss: "skerry",
    aud: "registry.example",
    sub: "reader",
    iat: world.now(),
    exp: world.now() + 300,
    access: [
      { type: "repository", name: "team/app", actions: ["pull", "push", "delete"] },
      { type: "registry", name: "admin", actions: ["*"] },
    ],
    ...more,
  };
}

/** A token signed by HMAC with this text as its key. */
function hs256(key: string): Promise<string> {
  return new SignJWT(claims())
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: world.signer.id })
    .sign(new TextEncoder().encode(key));
}

async function publicPem(): Promise<string> {
  const key = await importJWK(world.signer.publicKey, "ES256", { extractable: true });
  return exportSPKI(key as CryptoKey);
}

async function goodToken(): Promise<string> {
  return world.signer.sign(claims());
}

const parts = (token: string) => token.split(".") as [string, string, string];

/** Tokens that must open nothing. */
const hostile: Readonly<Record<string, () => string | Promise<string>>> = {
  "alg none, no signature": () => `${json({ alg: "none", typ: "JWT" })}.${json(claims())}.`,
  "alg None": () => `${json({ alg: "None", typ: "JWT" })}.${json(claims())}.`,
  "alg none with our kid and a signature": async () => {
    const [, , signature] = parts(await goodToken());
    return `${json({ alg: "none", typ: "JWT", kid: world.signer.id })}.${json(claims())}.${signature}`;
  },
  "no alg": () => `${json({ typ: "JWT", kid: world.signer.id })}.${json(claims())}.`,
  "HS256 with the public key as PEM": async () => hs256(await publicPem()),
  "HS256 with the public key as JWK": () => hs256(JSON.stringify(world.signer.publicKey)),
  "HS256 with its x coordinate": () => hs256(world.signer.publicKey.x ?? ""),
  "ES384 under our kid": async () => (await makeSigner("ES384")).sign(claims(), { kid: world.signer.id }),
  "RS256 under our kid": async () => (await makeSigner("RS256")).sign(claims(), { kid: world.signer.id }),
  expired: () => world.signer.sign(claims({ exp: world.now() - 1 })),
  "expired this second": () => world.signer.sign(claims({ exp: world.now() })),
  "without an end": () => world.signer.sign(claims({ exp: undefined })),
  "with an end that is a text": () => world.signer.sign(claims({ exp: "9999999999" })),
  "with an end that is no number": () => world.signer.sign(claims({ exp: null })),
  "not good yet": () => world.signer.sign(claims({ nbf: world.now() + 1 })),
  "of another issuer": () => world.signer.sign(claims({ iss: "https://evil.example" })),
  "of no issuer": () => world.signer.sign(claims({ iss: undefined })),
  "for another audience": () => world.signer.sign(claims({ aud: "evil.example" })),
  "for no audience": () => world.signer.sign(claims({ aud: undefined })),
  "for an audience that begins alike": () =>
    world.signer.sign(claims({ aud: "registry.example.evil.example" })),
  "for several other audiences": () => world.signer.sign(claims({ aud: ["a", "REGISTRY.EXAMPLE"] })),
  "of nobody": () => world.signer.sign(claims({ sub: undefined })),
  "of another typ": () => world.signer.sign(claims(), { typ: "refresh+jwt" }),
  "without typ": () => world.signer.sign(claims(), { typ: undefined }),
  "signed by a stranger": () => foreign.sign(claims()),
  "signed by a stranger under our kid": () => foreign.sign(claims(), { kid: world.signer.id }),
  "signed by a stranger, no kid": () => foreign.sign(claims(), { kid: undefined }),
  "with the stranger's key in jwk": () => foreign.sign(claims(), { jwk: foreign.publicKey }),
  "with the stranger's key in jwk under our kid": () =>
    foreign.sign(claims(), { kid: world.signer.id, jwk: { ...foreign.publicKey, kid: world.signer.id } }),
  "with the stranger's key behind jku": () =>
    foreign.sign(claims(), { jku: "https://evil.example/keys.json", kid: foreign.id }),
  "with a certificate in x5c": () => foreign.sign(claims(), { x5c: ["MIIB"], kid: world.signer.id }),
  "with a certificate behind x5u": () => foreign.sign(claims(), { x5u: "https://evil.example/cert.pem" }),
  "kid that is a path": () => foreign.sign(claims(), { kid: "../../../../dev/null" }),
  "kid that is a query": () => foreign.sign(claims(), { kid: "' OR '1'='1" }),
  "kid that is a property of objects": () => foreign.sign(claims(), { kid: "__proto__" }),
  "kid that is no text": () => foreign.sign(claims(), { kid: 0 }),
  "crit that nobody knows": () => world.signer.signText(JSON.stringify(claims()), { crit: ["exp"], exp: 0 }),
  "with other claims under our signature": async () => {
    const [header, , signature] = parts(await goodToken());
    return `${header}.${json(claims({ sub: "root" }))}.${signature}`;
  },
  "with a signature of zeros (psychic)": async () => {
    const [header, payload] = parts(await goodToken());
    return `${header}.${payload}.${base64Url("\0".repeat(64))}`;
  },
  "with a signature in DER": async () => {
    const [header, payload] = parts(await goodToken());
    return `${header}.${payload}.${base64Url("\x30\x06\x02\x01\x01\x02\x01\x01")}`;
  },
  "without a signature": async () =>
    parts(await goodToken())
      .slice(0, 2)
      .join("."),
  "with an empty signature": async () =>
    `${parts(await goodToken())
      .slice(0, 2)
      .join(".")}.`,
  "with a part too many": async () => `${await goodToken()}.x`,
  "claims that are a list": () => world.signer.signText("[]"),
  "claims that are no JSON": () => world.signer.signText("{"),
  "claims that are no text": () => world.signer.signText("null"),
  "claims that are no UTF-8": () => `${json({ alg: "ES256" })}.${base64Url("\xff\xfe")}.x`,
  "claims that nest deep": () => `${json({ alg: "ES256" })}.${base64Url("[".repeat(9000))}.x`,
  "a header that is no JSON": () => `${base64Url("{")}.${json(claims())}.x`,
  "a header that is a list": () => `${json([])}.${json(claims())}.x`,
  encrypted: () => `${json({ alg: "dir", enc: "A256GCM" })}..a.b.c`,
  "huge, and otherwise good": () => world.signer.sign(claims({ padding: "x".repeat(17_000) })),
  "a megabyte": () => "x".repeat(1_000_000),
  dots: () => ".".repeat(5000),
  "an account's key": () => world.accounts.root.key,
  "the text of a template": () => "undefined",
  "an identity token": () => world.issuer.sign(identityClaims(world)),
};

describe("a token", () => {
  it("like these, but good, opens what it says", async () => {
    const client = authorized(world.stranger, bearer(await goodToken()));
    await expectStatus(client.ask("GET /v2/team/app/manifests/1"), 200);
    await expectStatus(client.ask("GET /v2/_skerry/accounts"), 200);
  });

  it.each(Object.keys(hostile))("%s is refused", async (name) => {
    const token = await hostile[name]?.();
    if (token === undefined) throw new Error("no token");
    for (const request of requests) {
      const answer = await expectStatus(authorized(world.stranger, bearer(token)).ask(request), 401);
      expect(challengeOf(answer).error).toBe("invalid_token");
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
      expect(await answer.text()).not.toContain("JW");
    }
    const headers = { Authorization: bearer(token) };
    await expectStatus(world.stranger.ask("GET /token", { headers }), 401);
  });

  it.each([
    ["no list", "repository:team/app:pull"],
    ["entries that are none", [null, 1, "x", [], { type: "repository" }]],
    ["a name that is a pattern", [{ type: "repository", name: "*", actions: ["*"] }]],
    ["a name that is a prefix", [{ type: "repository", name: "team", actions: ["*"] }]],
    ["another type", [{ type: "repository(plugin)", name: "team/app", actions: ["pull"] }]],
    ["actions that are a text", [{ type: "repository", name: "team/app", actions: "pull" }]],
    ["actions in capitals", [{ type: "repository", name: "team/app", actions: ["PULL"] }]],
    ["another repository", [{ type: "repository", name: "team/app2", actions: ["*"] }]],
  ])("whose access is %s opens nothing", async (_, access) => {
    const client = authorized(world.stranger, bearer(await world.signer.sign(claims({ access }))));
    const answer = await expectStatus(client.ask("GET /v2/team/app/manifests/1"), 401);
    expect(challengeOf(answer).error).toBe("insufficient_scope");
  });
});
