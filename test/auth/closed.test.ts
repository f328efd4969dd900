import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { createTestRegistry } from "../support/registry.ts";

const digest = `sha256:${"0".repeat(64)}`;
const paths = [
  "/v2",
  "/v2/",
  "/v2/_catalog",
  "/v2/app/tags/list",
  "/v2/app/manifests/1",
  `/v2/app/manifests/${digest}`,
  "/v2/app/blobs/uploads/",
  "/v2/app/blobs/uploads/x",
  `/v2/app/blobs/${digest}`,
  `/v2/app/referrers/${digest}`,
  "/v2/_oci/ext/discover",
  "/v2/app/_oci/ext/discover",
  "/v2/app/_skerry/tags",
  "/v2/app/_skerry/tags/1/history",
  "/v2/app/_skerry/tags/1/restore",
  "/v2/app/_skerry/imports",
  "/v2/app/_skerry/imports/x",
  "/v2/_skerry/accounts",
  "/v2/_skerry/accounts/robot-x",
  "/v2/_skerry/accounts/robot-x/rotate",
  "/v2/_skerry/adopt",
  "/v2/_skerry/gc",
  "/v2/there/is/no/such/route",
  "/v2/UPPER/manifests/1",
  "/v2/a%2fb/manifests/1",
  "/%76%32/app/manifests/1",
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

describe("a registry without any configuration", () => {
  const client = createTestRegistry({ config: readConfig({}) }).client();

  it.each(paths)("refuses every method of %s, and says what to set", async (path) => {
    for (const method of methods) {
      const answer = await client.ask(`${method} ${path}`, {
        headers: { Authorization: "Basic cm9vdDo=" },
      });
      expect([method, answer.status]).toEqual([method, 401]);
      const anonymous = await client.ask(`${method} ${path}`);
      expect([method, anonymous.status]).toEqual([method, 401]);
      expect(anonymous.headers.get("WWW-Authenticate")).toBe('Basic realm="skerry", charset="UTF-8"');
      if (method === "HEAD") continue;
      const { errors } = (await anonymous.json()) as { errors: { code: string; message: string }[] };
      expect(errors[0]?.code).toBe("UNAUTHORIZED");
      expect(errors[0]?.message).toMatch(/set ACCOUNTS and TOKEN_KEY, or ANONYMOUS/);
    }
  });

  it("asks neither R2 nor KV", async () => {
    const world = createTestRegistry({ config: readConfig({}) });
    await world.client().ask("GET /v2/app/manifests/1", { headers: { Authorization: "Basic cm9vdDp4" } });
    expect(world.gate.trace).toEqual([]);
  });
});

describe("ANONYMOUS", () => {
  it.each([
    ["none", 401, 401, 401],
    ["pull", 404, 401, 401],
    ["all", 404, 202, 404],
  ])("%s", async (level, pull, push, remove) => {
    const client = createTestRegistry({ config: readConfig({ ANONYMOUS: level }) }).client();
    expect((await client.ask("GET /v2/app/manifests/1")).status).toBe(pull);
    expect((await client.ask("POST /v2/app/blobs/uploads/")).status).toBe(push);
    expect((await client.ask("DELETE /v2/app/manifests/1")).status).toBe(remove);
  });

  it("all does not make wrong credentials right", async () => {
    const client = createTestRegistry({ config: readConfig({ ANONYMOUS: "all" }) }).client();
    const headers = { Authorization: "Basic cm9vdDp4" };
    expect((await client.ask("GET /v2/", { headers })).status).toBe(401);
  });

  it("all makes nobody manage robots", async () => {
    const client = createTestRegistry({ config: readConfig({ ANONYMOUS: "all" }) }).client();
    expect((await client.ask("GET /v2/_skerry/accounts")).status).toBe(401);
  });
});

describe("GET /v2/", () => {
  it.each([
    ["is open where everybody may do everything", { ANONYMOUS: "all" }, 200],
    ["is open where nobody can log in", { ANONYMOUS: "pull" }, 200],
    ["is open where nobody can log in to what is public", { PUBLIC_REPOSITORIES: "public/*" }, 200],
    ["asks for credentials where somebody has some", { ANONYMOUS: "pull", ACCOUNTS: "[ACCOUNT]" }, 401],
  ])("%s", async (_, variables, status) => {
    const account = JSON.stringify({ name: "ci", hash: `sha256:${"a".repeat(64)}` });
    const filled = Object.entries(variables).map(([name, value]) => [
      name,
      value.replace("ACCOUNT", account),
    ]);
    const client = createTestRegistry({ config: readConfig(Object.fromEntries(filled)) }).client();
    expect((await client.ask("GET /v2/")).status).toBe(status);
  });
});
