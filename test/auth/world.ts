import { type Config, readConfig } from "../../src/config.ts";
import type { Platform } from "../../src/registry.ts";
import { pushImage, type TestManifest } from "../support/content.ts";
import { authorized, type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { basic, makeSigner, makeTestAccount, type Signer, type TestAccount } from "./credentials.ts";

/** A registry with accounts, a token key, and an issuer of identity tokens. */
export interface AuthWorld {
  readonly registry: TestRegistry;
  readonly config: Config;
  /** A client without credentials, in an isolate of its own. */
  readonly stranger: Client;
  readonly accounts: Readonly<Record<"reader" | "writer" | "cleaner" | "outsider" | "root", TestAccount>>;
  /** The key that signs the registry's tokens. */
  readonly signer: Signer;
  /** The issuer of identity tokens. */
  readonly issuer: Signer;
  /** The same client with Basic credentials. */
  as(account: TestAccount): Client;
  /** Unix time in seconds. */
  now(): number;
}

export const identityIssuer = "https://issuer.example";
export const identityAudience = "registry.example";

let rsa: Signer | undefined;

/** @param variables of the Worker, beside or instead of those of this world. */
export async function createAuthWorld(
  variables: Readonly<Record<string, string>> = {},
  platform: Partial<Platform> = {},
): Promise<AuthWorld> {
  const accounts = {
    reader: await makeTestAccount("reader", { grants: { "team/*": "pull" } }),
    writer: await makeTestAccount("writer", { grants: { "team/*": "pull,push" } }),
    cleaner: await makeTestAccount("cleaner", { grants: { "team/*": "pull,delete" } }),
    outsider: await makeTestAccount("outsider", { grants: { "other/*": "delete,pull,push" } }),
    root: await makeTestAccount("root", { admin: true }),
  };
  const signer = await makeSigner();
  // An RSA key takes a while to make: one is enough for a file of tests.
  rsa ??= await makeSigner("RS256");
  const issuer = rsa;
  const config = readConfig({
    ACCOUNTS: JSON.stringify(Object.values(accounts).map(({ entry }) => entry)),
    PUBLIC_REPOSITORIES: "public/*",
    TOKEN_KEY: signer.secret,
    UPLOAD_KEY: "a key for tests alone",
    IDENTITY_ISSUERS: JSON.stringify([
      {
        issuer: identityIssuer,
        audience: identityAudience,
        jwks: { keys: [issuer.publicKey] },
        rules: [
          {
            claims: { repository: "Team/App", ref: "refs/heads/main" },
            grants: { "{repository}": "pull,push" },
          },
        ],
      },
    ]),
    ...variables,
  });
  const registry = createTestRegistry({ config, platform });
  const stranger = registry.client("stranger");
  return {
    registry,
    config,
    stranger,
    accounts,
    signer,
    issuer,
    as: (account) => authorized(stranger, basic(account)),
    now: () => Math.floor(registry.clock.now() / 1000),
  };
}

/** Claims of an identity token that the rule of the world wants, with others beside or instead of them. */
export function identityClaims(world: AuthWorld, more: Readonly<Record<string, unknown>> = {}) {
  return {
    iss: identityIssuer,
    aud: identityAudience,
    sub: "repo:Team/App:ref:refs/heads/main",
    exp: world.now() + 300,
    repository: "Team/App",
    ref: "refs/heads/main",
    ...more,
  };
}

/** Pushes an image to a repository as the admin. */
export function pushAsRoot(world: AuthWorld, name: string): Promise<TestManifest> {
  return pushImage(world.as(world.accounts.root), name, "1", name);
}
