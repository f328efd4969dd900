import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { readConfig } from "../../src/config.ts";

const run = promisify(execFile);

let directory: string;
let registry: LocalRegistry;
/** The environment that says who asks. */
let admin: Record<string, string>;

/** Runs `npm run skerry -- <args>` without npm. */
async function skerry(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(process.execPath, [join(projectRoot, "scripts/skerry.ts"), ...args], {
    env: { ...process.env, ...environment, NO_COLOR: "1" },
  });
  return stdout;
}

async function makeAccount(
  args: readonly string[],
): Promise<{ readonly key: string; readonly entry: string }> {
  const output = await skerry(["key", ...args]);
  const [, key = "", entry = ""] = /^key {4}(\S+)\nentry {2}(\{.*\})\n/.exec(output) ?? [];
  return { key, entry };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "skerry-accounts-"));
  const root = await makeAccount(["--account", "root", "--admin"]);
  registry = await startLocalRegistry({
    persistTo: directory,
    vars: { ANONYMOUS: "none", ACCOUNTS: `[${root.entry}]`, TOKEN_KEY: await skerry(["key"]) },
  });
  admin = { SKERRY_ACCOUNT: "root", SKERRY_KEY: root.key };
});

afterAll(async () => {
  await registry.stop();
  await rm(directory, { recursive: true });
});

async function status(name: string, key: string, path = "/v2/"): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${name}:${key}`).toString("base64")}`;
  const response = await fetch(registry.origin + path, { headers: { Authorization: authorization } });
  await response.arrayBuffer();
  return response.status;
}

describe("skerry key", () => {
  test("makes a TOKEN_KEY that the configuration takes, another one each time", async () => {
    const [one, other] = [await skerry(["key"]), await skerry(["key"])];
    expect(readConfig({ TOKEN_KEY: one, TOKEN_KEY_PREVIOUS: other }).tokenKeys).toHaveLength(2);
    expect(one).not.toBe(other);
  });

  test("makes an account that the configuration takes", async () => {
    const { key, entry } = await makeAccount([
      "--account",
      "ci",
      "--grant",
      "team/*=pull,push",
      "--grant",
      "x=pull",
    ]);
    expect(readConfig({ ACCOUNTS: `[${entry}]` }).accounts.get("ci")?.grants).toEqual([
      { repositories: "team/*", actions: ["pull", "push"] },
      { repositories: "x", actions: ["pull"] },
    ]);
    expect(entry).not.toContain(key);
  });

  test.each([
    [["--account", "robot-x"]],
    [["--account", "ci", "--grant", "team/*"]],
    [["--account", "ci", "--grant", "team/*=own"]],
    [["--account", "ci", "--password", "chosen"]],
  ])("%o fails", async (args) => {
    await expect(skerry(["key", ...args])).rejects.toMatchObject({ code: 1, stdout: "" });
  });
});

describe("skerry accounts", () => {
  const accounts = (...args: readonly string[]) =>
    skerry(["accounts", ...args, "--registry", registry.origin], admin);

  test("issues, lists, rotates and revokes a robot", async () => {
    const expires = "2999-01-01T00:00:00Z";
    const issued = await accounts("issue", "robot-ci", "--grant", "team/*=pull,push", "--expires", expires);
    const first = issued.trim();
    expect(await status("robot-ci", first)).toBe(200);
    expect(await status("robot-ci", first, "/token")).toBe(200);
    expect(await status("robot-ci", first, "/v2/other/tags/list")).toBe(403);
    expect(await accounts("list")).toBe("robot-ci  live  team/*=pull,push  until 2999-01-01T00:00:00.000Z\n");

    const second = (await accounts("rotate", "robot-ci")).trim();
    expect(await status("robot-ci", first)).toBe(401);
    expect(await status("robot-ci", second)).toBe(200);

    await accounts("revoke", "robot-ci");
    expect(await status("robot-ci", second)).toBe(401);
    expect(await accounts("list")).toBe("robot-ci  revoked\n");
  });

  test("says what is wrong", async () => {
    await expect(accounts("issue", "nobody")).rejects.toMatchObject({
      stderr: expect.stringContaining("400"),
    });
    await expect(accounts("rotate", "robot-absent")).rejects.toMatchObject({
      stderr: expect.stringContaining("there is no robot-absent"),
    });
    const wrong = { ...admin, SKERRY_KEY: "wrong" };
    await expect(skerry(["accounts", "list", "--registry", registry.origin], wrong)).rejects.toMatchObject({
      stderr: expect.stringContaining("401"),
    });
  });
});
