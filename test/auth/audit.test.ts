import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { blobOf, closeUpload, expectStatus, pushImage } from "../support/content.ts";
import { authorized } from "../support/registry.ts";
import { basic, bearer, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld, identityClaims } from "./world.ts";

let lines: string[];
let world: AuthWorld;

beforeEach(async () => {
  lines = [];
  world = await createAuthWorld({ LOG: "audit" }, { log: (line) => lines.push(line) });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function events(): readonly Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("the audit log", () => {
  it("has a line for every write and delete: who, what, and what came of it", async () => {
    const client = world.as(world.accounts.root);
    const headers = { "CF-Connecting-IP": "192.0.2.1", "CF-Ray": "ray" };
    await expectStatus(client.ask("POST /v2/team/app/blobs/uploads/", { headers }), 202);
    const { digest } = await pushImage(client, "team/app", "1", "a");
    await expectStatus(client.ask("DELETE /v2/team/app/manifests/1"), 202);
    expect(events()[0]).toMatchObject({
      audit: "write",
      at: "2026-01-01T00:00:00.000Z",
      caller: "root",
      scheme: "basic",
      method: "POST",
      path: "/v2/team/app/blobs/uploads",
      status: 202,
      address: "192.0.2.1",
      id: "ray",
    });
    expect(events().at(-1)).toMatchObject({
      audit: "delete",
      method: "DELETE",
      path: "/v2/team/app/manifests/1",
      status: 202,
    });
    expect(events().filter(({ method }) => method === "PUT")).toHaveLength(3);
    lines.length = 0;
    await client.ask(`GET /v2/team/app/manifests/${digest}`);
    await client.ask("HEAD /v2/team/app/manifests/absent");
    await client.ask("DELETE /v2/team/app/manifests/absent");
    expect(lines).toEqual([]);
  });

  it("has a line for every refusal, with its reason, and with nothing of the credentials", async () => {
    const wrong = authorized(world.stranger, basic({ name: "reader", key: world.accounts.root.key }));
    const token = bearer(
      await world.signer.sign({ iss: "skerry", sub: "x", aud: "registry.example", iat: 0, exp: 1 }),
    );
    await world.stranger.ask("GET /v2/team/app/manifests/1");
    await wrong.ask("GET /v2/team/app/manifests/1");
    await authorized(world.stranger, token).ask("GET /v2/team/app/manifests/1");
    await world.as(world.accounts.reader).ask("DELETE /v2/team/app/manifests/1");
    await wrong.ask("GET /token");
    expect(events()).toMatchObject([
      { audit: "refusal", caller: "anonymous", scheme: "none", status: 401 },
      { audit: "refusal", caller: "unknown", status: 401, reason: "wrong name or key" },
      { audit: "refusal", caller: "unknown", status: 401, reason: "ERR_JWT_EXPIRED" },
      { audit: "refusal", caller: "reader", scheme: "basic", status: 403 },
      { audit: "refusal", caller: "unknown", status: 401, path: "/token" },
    ]);
  });

  it("is one line of JSON, whatever is in the path", async () => {
    const { stranger } = await createAuthWorld(
      { PUBLIC_REPOSITORIES: "", LOG: "audit" },
      { log: (line) => lines.push(line) },
    );
    await stranger.ask("GET /v2/team/%0a%22%7d/manifests/1");
    await stranger.ask(`GET /v2/${"a/".repeat(5000)}manifests/1`);
    for (const line of lines) {
      expect(line).not.toContain("\n");
      expect(line.length).toBeLessThan(2000);
    }
    expect(lines).toHaveLength(2);
  });
});

describe("what is logged", () => {
  it("never holds a key, a token, or an upload URL", async () => {
    const consoles = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation(() => undefined),
    );
    const secrets = new Set<string>();
    const { root, reader } = world.accounts;
    const rootClient = world.as(root);
    secrets.add(root.key).add(reader.key).add(basic(root).slice(6)).add(world.signer.secret);

    const issued = await rootClient.ask("POST /v2/_skerry/accounts", {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "robot-ci", grants: { "team/*": "pull,push" } }),
    });
    const robot = (await issued.json()) as { name: string; key: string };
    secrets.add(robot.key);
    const token = await getToken(world.stranger, ["repository:team/app:pull,push"], basic(robot));
    secrets.add(token).add(token.split(".")[2] ?? "");
    const identity = await world.issuer.sign(identityClaims(world, { exp: 1 }));
    secrets.add(identity);
    await authorized(world.stranger, basic({ name: "oidc", key: identity })).ask("GET /v2/");
    await authorized(world.stranger, bearer(`${token}x`)).ask("GET /v2/");
    await authorized(world.stranger, basic({ name: root.key, key: "x" })).ask("GET /v2/");
    await world.stranger.ask("POST /token", {
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: `grant_type=password&username=reader&password=${robot.key}`,
    });

    const client = authorized(world.stranger, bearer(token));
    const blob = await blobOf("a layer");
    const started = await client.ask("POST /v2/team/app/blobs/uploads/");
    const upload = new URL(started.headers.get("Location") ?? "");
    secrets.add(upload.search.slice(1)).add(upload.searchParams.get("state") ?? "");
    await closeUpload(client, started, `sha256:${"0".repeat(64)}`, blob.bytes);
    await closeUpload(authorized(world.stranger, bearer("x")), started, blob.digest, blob.bytes);
    world.registry.gate.policy = () => Promise.reject(new Error("R2 is down"));
    await client.ask("GET /v2/team/app/manifests/1");

    const printed = consoles.flatMap(({ mock }) => mock.calls.flat()).map(describeLogged);
    expect(printed.join("\n")).toContain("R2 is down");
    expect(lines.length).toBeGreaterThan(6);
    const all = [...lines, ...printed].join("\n");
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20);
      expect(all).not.toContain(secret);
    }
  });
});

function describeLogged(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value);
  return `${value.stack} ${JSON.stringify({ ...value })} ${value.cause ? describeLogged(value.cause) : ""}`;
}

describe("failed logins", () => {
  /** A limit as the binding keeps it: so many of one key, then no more. */
  function limited(limit: number) {
    const counts = new Map<string, number>();
    const asked: string[] = [];
    return {
      asked,
      limit: async ({ key }: RateLimitOptions) => {
        asked.push(key);
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return { success: (counts.get(key) ?? 0) <= limit };
      },
    };
  }

  const wrong = (address: string) => ({
    headers: { Authorization: basic({ name: "reader", key: "wrong" }), "CF-Connecting-IP": address },
  });

  it("of one address are limited, on every path, and no other's are", async () => {
    const loginLimit = limited(3);
    const { stranger } = await createAuthWorld({ LOG: "audit" }, { loginLimit });
    for (const request of ["GET /v2/", "GET /token", "GET /v2/team/app/manifests/1"]) {
      await expectStatus(stranger.ask(request, wrong("192.0.2.1")), 401);
    }
    for (const request of ["GET /v2/", "GET /token"]) {
      const answer = await expectStatus(stranger.ask(request, wrong("192.0.2.1")), 429);
      expect(answer.headers.get("Retry-After")).toBe("60");
      expect(await answer.text()).toContain("TOOMANYREQUESTS");
    }
    await expectStatus(stranger.ask("GET /v2/", wrong("192.0.2.2")), 401);
  });

  it("do not keep out who has the right key, nor count when nothing was tried", async () => {
    const loginLimit = limited(0);
    const { stranger, as, accounts } = await createAuthWorld({ LOG: "audit" }, { loginLimit });
    await expectStatus(stranger.ask("GET /v2/", wrong("192.0.2.1")), 429);
    await expectStatus(
      as(accounts.reader).ask("GET /v2/", { headers: { "CF-Connecting-IP": "192.0.2.1" } }),
      200,
    );
    await expectStatus(stranger.ask("GET /v2/"), 401);
    expect(loginLimit.asked).toEqual(["192.0.2.1"]);
  });
});
