import { afterEach, describe, expect, it, vi } from "vitest";
import { isAccountKey, makeAccountKey } from "../../src/auth/account-key.ts";
import { parseAccounts } from "../../src/auth/accounts.ts";
import { ConfigError, readConfig } from "../../src/config.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { counted } from "../doubles/rounds.ts";
import { expectStatus } from "../support/content.ts";
import { authorized } from "../support/registry.ts";
import { basic } from "./credentials.ts";
import { createAuthWorld } from "./world.ts";

const hash = `sha256:${"a".repeat(64)}`;

describe("a key", () => {
  it("is 256 random bits, and its hash that of its text", async () => {
    const [one, other] = await Promise.all([makeAccountKey(), makeAccountKey()]);
    expect(one.key).toMatch(/^skerry_[A-Za-z0-9_-]{43}$/);
    expect(one.key).not.toBe(other.key);
    expect(one.hash).toBe(await digestOf(new Uint8Array(new TextEncoder().encode(one.key)), "sha256"));
    expect(await isAccountKey(one.key, one.hash)).toBe(true);
    expect(await isAccountKey(other.key, one.hash)).toBe(false);
    expect(await isAccountKey(one.key, undefined)).toBe(false);
  });

  it.each(["hunter2", "", "skerry_hunter2", `skerry_${"ä".repeat(43)}`, `skerry_${"x".repeat(44)}`])(
    "that somebody chose (%s) is refused, whatever the hash",
    async (chosen) => {
      const chosenHash = await digestOf(new Uint8Array(new TextEncoder().encode(chosen)), "sha256");
      expect(await isAccountKey(chosen, chosenHash)).toBe(false);
    },
  );
});

describe("a wrong name", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["of the configuration", "reader", "nobody"],
    ["of the bucket", "robot-ci", "robot-nobody"],
  ])(
    "%s costs what a wrong key costs: the same operations, hashes and comparisons",
    async (_, known, unknown) => {
      const world = await createAuthWorld();
      await expectStatus(
        world.as(world.accounts.root).ask("POST /v2/_skerry/accounts", {
          headers: { "Content-Type": "application/json" },
          body: '{"name": "robot-ci", "grants": {}}',
        }),
        201,
      );
      const { key } = await makeAccountKey();
      const costs = [];
      for (const name of [known, unknown]) {
        const digest = vi.spyOn(crypto.subtle, "digest");
        const compare = vi.spyOn(crypto.subtle, "timingSafeEqual");
        const client = authorized(world.stranger, basic({ name, key }));
        const { operations, result } = await counted(world.registry.gate, () => client.ask("GET /v2/"));
        expect(result.status).toBe(401);
        expect(compare).toHaveBeenCalledOnce();
        costs.push({
          operations: operations.map((operation) => operation.replace(name, "NAME")),
          digests: digest.mock.calls.length,
          answer: await result.text(),
        });
        vi.restoreAllMocks();
      }
      expect(costs[0]).toEqual(costs[1]);
      expect(costs[0]?.digests).toBe(1);
    },
  );
});

describe("ACCOUNTS", () => {
  const one = { name: "ci", hash, grants: { "team/*": "pull" } };

  it("gives an admin everything", () => {
    const root = parseAccounts(JSON.stringify([{ name: "root", hash, admin: true }])).get("root");
    expect(root?.grants).toEqual([{ repositories: "*", actions: ["delete", "pull", "push"] }]);
  });

  it.each([
    ["no JSON", "{"],
    ["no list", JSON.stringify(one)],
    ["a name twice", JSON.stringify([one, one])],
    ["a robot's name", JSON.stringify([{ ...one, name: "robot-ci" }])],
    ["a name with a colon", JSON.stringify([{ ...one, name: "a:b" }])],
    ["a key instead of its hash", JSON.stringify([{ ...one, hash: `skerry_${"s3cret".repeat(8)}` }])],
    ["a hash of another algorithm", JSON.stringify([{ ...one, hash: `sha512:${"a".repeat(128)}` }])],
    ["a key beside its hash", JSON.stringify([{ ...one, key: "s3cret" }])],
    ["a word that is none", JSON.stringify([{ ...one, grant: {} }])],
    ["push without pull", JSON.stringify([{ ...one, grants: { "team/*": "push" } }])],
    ["an action that nobody knows", JSON.stringify([{ ...one, grants: { "team/*": "s3cret" } }])],
    ["a pattern that is none", JSON.stringify([{ ...one, grants: { "Team/*": "pull" } }])],
  ])("with %s is refused, in words that hold none of it", (_, text) => {
    expect(() => readConfig({ ACCOUNTS: text })).toThrow(ConfigError);
    expect(() => readConfig({ ACCOUNTS: text })).toThrow(/^ACCOUNTS: /);
    expect(() => readConfig({ ACCOUNTS: text })).not.toThrow(/s3cret|skerry_|aaaa/);
  });
});

describe("TOKEN_KEY", () => {
  it.each(["{}", "x", '{"kty":"oct","k":"s3cret"}', '{"kty":"EC","crv":"P-256","x":"s3cret"}'])(
    "%s is refused, in words that hold none of it",
    (text) => {
      expect(() => readConfig({ TOKEN_KEY: text })).toThrow(/^TOKEN_KEY: /);
      expect(() => readConfig({ TOKEN_KEY: text })).not.toThrow(/s3cret/);
    },
  );

  it("is not replaced by the one before it", async () => {
    const { config, signer } = await createAuthWorld();
    expect(config.tokenKeys).toHaveLength(1);
    expect(() => readConfig({ TOKEN_KEY_PREVIOUS: signer.secret })).toThrow(/^TOKEN_KEY_PREVIOUS: /);
  });
});

describe("PUBLIC_REPOSITORIES", () => {
  it.each(["Team/*", "team/app:1", "!x"])("%s is refused", (text) => {
    expect(() => readConfig({ PUBLIC_REPOSITORIES: text })).toThrow(/^PUBLIC_REPOSITORIES: /);
  });
});
