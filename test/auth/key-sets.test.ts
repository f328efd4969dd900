import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import type { Fetch } from "../../src/storage/ports.ts";
import { expectStatus } from "../support/content.ts";
import { basic, makeSigner, type Signer } from "./credentials.ts";
import {
  type AuthWorld,
  createAuthWorld,
  identityAudience,
  identityClaims,
  identityIssuer,
} from "./world.ts";

const url = "https://issuer.example/keys";
let issuer: Signer;
let next: Signer;
let guesser: Signer;
/** What the issuer answers, and how often it was asked. */
let publish: () => Response | Promise<Response>;
const fetched = vi.fn<Fetch>(async () => publish());

function keySet(...signers: readonly Signer[]): Response {
  return Response.json({ keys: signers.map(({ publicKey }) => publicKey) });
}

async function remoteWorld(): Promise<AuthWorld> {
  const issuers = [
    {
      issuer: identityIssuer,
      audience: identityAudience,
      jwks: url,
      rules: [{ claims: { sub: "*" }, grants: {} }],
    },
  ];
  return createAuthWorld({ IDENTITY_ISSUERS: JSON.stringify(issuers) }, { fetch: fetched });
}

function logIn(world: AuthWorld, token: string): Promise<Response> {
  return world.stranger.ask("GET /token", {
    headers: { Authorization: basic({ name: "oidc", key: token }) },
  });
}

let world: AuthWorld;

beforeAll(async () => {
  [issuer, next, guesser] = await Promise.all([
    makeSigner("RS256"),
    makeSigner("RS256"),
    makeSigner("RS256"),
  ]);
});

beforeEach(async () => {
  // jose tells the age of a key set by the time of day.
  vi.useFakeTimers({ toFake: ["Date"] });
  publish = () => keySet(issuer);
  fetched.mockClear();
  world = await remoteWorld();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a published key set", () => {
  const token = (signer: Signer) => signer.sign(identityClaims(world));

  it("is fetched when it is needed, once in ten minutes, and no redirect is followed", async () => {
    await expectStatus(logIn(world, await token(issuer)), 200);
    await expectStatus(logIn(world, await token(issuer)), 200);
    expect(fetched).toHaveBeenCalledOnce();
    expect(fetched.mock.calls[0]?.[0]).toBe(url);
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ method: "GET", redirect: "manual" });
    vi.setSystemTime(Date.now() + 10 * 60_000);
    await expectStatus(logIn(world, await token(issuer)), 200);
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("is fetched again for a key that it lacks, but not more often than every 30 seconds", async () => {
    await expectStatus(logIn(world, await token(issuer)), 200);
    publish = () => keySet(issuer, next);
    for (let guess = 0; guess < 5; guess++) {
      await expectStatus(
        logIn(world, await guesser.sign(identityClaims(world), { kid: `guess ${guess}` })),
        401,
      );
    }
    expect(fetched).toHaveBeenCalledOnce();
    vi.setSystemTime(Date.now() + 30_000);
    await expectStatus(logIn(world, await token(next)), 200);
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("without a key that it had no longer lets that in", async () => {
    await expectStatus(logIn(world, await token(issuer)), 200);
    publish = () => keySet(next);
    vi.setSystemTime(Date.now() + 10 * 60_000);
    await expectStatus(logIn(world, await token(issuer)), 401);
  });

  it("is not asked for by a token that cannot be good", async () => {
    await expectStatus(
      logIn(world, await issuer.sign(identityClaims(world, { iss: "https://evil.example" }))),
      401,
    );
    await expectStatus(logIn(world, `${"x".repeat(17_000)}.x.x`), 401);
    await expectStatus(logIn(world, await (await makeSigner("ES384")).sign(identityClaims(world))), 401);
    expect(fetched).not.toHaveBeenCalled();
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["that cannot be reached", () => Promise.reject(new Error("network"))],
    ["behind a redirect", () => Response.redirect("https://169.254.169.254/", 302)],
    ["that is a 404", () => new Response("{}", { status: 404 })],
    ["that is no JSON", () => new Response("<html>")],
    ["of more than 64 KiB", () => Response.json({ keys: [issuer.publicKey], padding: "x".repeat(65_536) })],
    ["without an end", () => new Response(endless())],
  ])("%s is a 503 that says nothing of it, and is asked for again", async (_, answer) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    publish = answer;
    const refused = await expectStatus(logIn(world, await token(issuer)), 503);
    expect(refused.headers.get("Retry-After")).toBe("30");
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
    expect(await refused.text()).not.toMatch(/issuer\.example|network|169/);
    publish = () => keySet(issuer);
    await expectStatus(logIn(world, await token(issuer)), 200);
  });

  it.each([
    ["no set", { keys: "x" }],
    ["a set of nothing", { keys: [] }],
    ["a set of what is no key", { keys: [null] }],
  ])("that is %s lets nobody in", async (_, body) => {
    publish = () => Response.json(body);
    await expectStatus(logIn(world, await token(issuer)), 401);
  });

  it("with a short RSA key lets nobody in", async () => {
    const short = (await crypto.subtle.generateKey(
      {
        name: "RSASSA-PKCS1-v1_5",
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: "SHA-256",
      },
      true,
      ["sign", "verify"],
    )) as CryptoKeyPair;
    const jwk = (await crypto.subtle.exportKey("jwk", short.publicKey)) as JsonWebKey;
    publish = () => Response.json({ keys: [{ ...jwk, kid: issuer.id }] });
    await expectStatus(logIn(world, await token(issuer)), 401);
  });

  it("that fails does not fail who needs none", async () => {
    publish = () => Promise.reject(new Error("network"));
    await expectStatus(world.as(world.accounts.reader).ask("GET /v2/"), 200);
  });
});

/** A body that never ends. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(8192).fill(32));
    },
  });
}

describe("the URL of a key set", () => {
  const configured = (jwks: unknown) =>
    readConfig({ IDENTITY_ISSUERS: JSON.stringify([{ issuer: "i", audience: "a", jwks, rules: [] }]) });

  it.each([
    "http://issuer.example/keys",
    "https://127.0.0.1/keys",
    "https://2130706433/keys",
    "https://0x7f000001/keys",
    "https://017700000001/keys",
    "https://10.0.0.1/keys",
    "https://169.254.169.254/latest/meta-data",
    "https://8.8.8.8/keys",
    "https://[::1]/keys",
    "https://[fd00::1]/keys",
    "https://[::ffff:127.0.0.1]/keys",
    "https://localhost/keys",
    "https://localhost./keys",
    "https://metadata/keys",
    "https://metadata.google.internal/keys",
    "https://printer.local/keys",
    "https://user:password@issuer.example/keys",
    "file:///etc/passwd",
    "data:application/json,{}",
    "/keys",
    "",
  ])("%s is refused", (jwks) => {
    expect(() => configured(jwks)).toThrow(/^IDENTITY_ISSUERS: 0\.jwks/);
  });

  it.each([
    ["a secret key", { keys: [{ kty: "oct", k: "c2VjcmV0" }] }],
    ["no key", { keys: [] }],
  ])("instead: %s is refused", (_, jwks) => {
    expect(() => configured(jwks)).toThrow(/^IDENTITY_ISSUERS: 0\.jwks/);
  });

  it("of the large issuers is taken", () => {
    for (const jwks of [
      "https://token.actions.githubusercontent.com/.well-known/jwks",
      "https://gitlab.com/oauth/discovery/keys",
    ]) {
      expect(configured(jwks).identityIssuers[0]?.jwks.toString()).toBe(jwks);
    }
  });

  it.each([
    ["an algorithm with a shared key", { algorithms: ["HS256"] }],
    ["no signature", { algorithms: ["none"] }],
    ["no algorithm", { algorithms: [] }],
    ["no audience", { audience: undefined }],
    ["an empty audience", { audience: "" }],
    ["a rule for everybody", { rules: [{ claims: {}, grants: { "*": "pull" } }] }],
    ["a claim that may be anything or nothing", { rules: [{ claims: { sub: "" }, grants: {} }] }],
  ])("aside: %s is refused", (_, more) => {
    const issuers = [{ issuer: "i", audience: "a", jwks: url, rules: [], ...more }];
    expect(() => readConfig({ IDENTITY_ISSUERS: JSON.stringify(issuers) })).toThrow(/^IDENTITY_ISSUERS: /);
  });
});
