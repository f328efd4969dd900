import { importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "../support/content.ts";
import { allowedBy, basic, getToken, makeSigner } from "./credentials.ts";
import { json } from "./token-text.ts";
import { type AuthWorld, createAuthWorld, identityAudience, identityClaims } from "./world.ts";

let world: AuthWorld;

beforeAll(async () => {
  world = await createAuthWorld();
});

describe("an identity token", () => {
  const tryIt = (token: string) =>
    world.stranger.ask("GET /token", { headers: { Authorization: basic({ name: "oidc", key: token }) } });

  const bad: Readonly<Record<string, () => string | Promise<string>>> = {
    "for another audience": () => world.issuer.sign(identityClaims(world, { aud: "sts.example" })),
    "for no audience": () => world.issuer.sign(identityClaims(world, { aud: undefined })),
    expired: () => world.issuer.sign(identityClaims(world, { exp: world.now() - 61 })),
    "without an end": () => world.issuer.sign(identityClaims(world, { exp: undefined })),
    "not good yet": () => world.issuer.sign(identityClaims(world, { nbf: world.now() + 61 })),
    "of an issuer that is unknown": () =>
      world.issuer.sign(identityClaims(world, { iss: "https://evil.example" })),
    "signed by somebody else": async () => (await makeSigner("RS256")).sign(identityClaims(world)),
    "signed by somebody else under its kid": async () =>
      (await makeSigner("RS256")).sign(identityClaims(world), { kid: world.issuer.id }),
    "with its own key": async () => {
      const other = await makeSigner("RS256");
      return other.sign(identityClaims(world), { jwk: other.publicKey });
    },
    unsigned: () => `${json({ alg: "none" })}.${json(identityClaims(world))}.`,
    "HS256 with the public key": () =>
      new SignJWT(identityClaims(world))
        .setProtectedHeader({ alg: "HS256", kid: world.issuer.id })
        .sign(new TextEncoder().encode(JSON.stringify(world.issuer.publicKey))),
    "of another algorithm than allowed": async () => {
      const key = await importJWK(JSON.parse(world.issuer.secret), "PS256");
      return new SignJWT(identityClaims(world))
        .setProtectedHeader({ alg: "PS256", kid: world.issuer.id })
        .sign(key);
    },
    "of another repository": () => world.issuer.sign(identityClaims(world, { repository: "evil/app" })),
    "of another branch": () => world.issuer.sign(identityClaims(world, { ref: "refs/heads/main2" })),
    "without the claim": () => world.issuer.sign(identityClaims(world, { ref: undefined })),
    "whose claim is a list": () => world.issuer.sign(identityClaims(world, { ref: ["refs/heads/main"] })),
    "our own": () => getToken(world.stranger, [], basic(world.accounts.root)),
  };

  it("that is good gets a token", async () => {
    await expectStatus(tryIt(await world.issuer.sign(identityClaims(world))), 200);
  });

  it.each(Object.keys(bad))("%s is refused", async (name) => {
    await expectStatus(tryIt((await bad[name]?.()) ?? ""), 401);
  });

  it("cannot get a pattern into its grants", async () => {
    const own = await createAuthWorld({
      IDENTITY_ISSUERS: JSON.stringify([
        {
          issuer: "https://issuer.example",
          audience: identityAudience,
          jwks: { keys: [world.issuer.publicKey] },
          rules: [
            {
              claims: { sub: "*" },
              grants: { "{repository}": "pull", "{repository}*": "pull", "ci/{repository}/*": "pull" },
            },
          ],
        },
      ]),
    });
    for (const [repository, names] of [
      ["*", []],
      ["team/*", []],
      ["../team/app", []],
      ["", []],
      [undefined, []],
      ["Team/App", ["team/app", "ci/team/app/x"]],
    ] as const) {
      const key = await world.issuer.sign(identityClaims(own, { repository }));
      const wanted = ["team/app", "other/app", "ci/x", "ci/team/app/x"].map(
        (each) => `repository:${each}:pull`,
      );
      const token = await getToken(own.stranger, wanted, basic({ name: "oidc", key }));
      expect(allowedBy(token).map((entry) => entry.name)).toEqual(names);
    }
  });
});
