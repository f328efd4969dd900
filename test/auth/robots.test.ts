import { beforeEach, describe, expect, it } from "vitest";
import { expectStatus } from "../support/content.ts";
import { authorized, type Client } from "../support/registry.ts";
import { basic, bearer, challengeOf, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld } from "./world.ts";

interface Robot {
  readonly name: string;
  readonly key: string;
  readonly state?: string;
  readonly [more: string]: unknown;
}

const accounts = "/v2/_skerry/accounts";
const json = { "Content-Type": "application/json" };
const minute = 60_000;

let world: AuthWorld;
let root: Client;

beforeEach(async () => {
  world = await createAuthWorld();
  root = world.as(world.accounts.root);
});

function issue(body: unknown): Promise<Response> {
  return root.ask(`POST ${accounts}`, { headers: json, body: JSON.stringify(body) });
}

async function issued(name: string, more: object = {}): Promise<Robot> {
  const answer = await expectStatus(issue({ name, grants: { "team/*": "pull,push" }, ...more }), 201);
  return (await answer.json()) as Robot;
}

function as(robot: { readonly name: string; readonly key: string }): Client {
  return authorized(world.stranger, basic(robot));
}

async function list(query = ""): Promise<readonly Robot[]> {
  const answer = await expectStatus(root.ask(`GET ${accounts}${query}`), 200);
  return ((await answer.json()) as { readonly accounts: readonly Robot[] }).accounts;
}

describe("a robot", () => {
  it("is issued with a key that is told once, and works by Basic and by token", async () => {
    const robot = await issued("robot-ci");
    expect(robot).toMatchObject({
      name: "robot-ci",
      key: expect.stringMatching(/^skerry_[A-Za-z0-9_-]{43}$/),
      grants: { "team/*": "pull,push" },
      createdBy: "root",
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    expect(JSON.stringify(await list())).not.toContain(robot.key);
    await expectStatus(as(robot).ask("POST /v2/team/app/blobs/uploads/"), 202);
    await expectStatus(as(robot).ask("POST /v2/other/app/blobs/uploads/"), 403);
    const token = await getToken(world.stranger, ["repository:team/app:*"], basic(robot));
    await expectStatus(
      authorized(world.stranger, bearer(token)).ask("POST /v2/team/app/blobs/uploads/"),
      202,
    );
  });

  it("that is revoked ends with its next request, and its tokens within five minutes", async () => {
    const robot = await issued("robot-ci");
    const token = await getToken(world.stranger, [], basic(robot));
    const client = authorized(world.stranger, bearer(token));
    await expectStatus(root.ask(`DELETE ${accounts}/robot-ci`), 202);

    await expectStatus(as(robot).ask("GET /v2/"), 401);
    await expectStatus(as(robot).ask("GET /token"), 401);
    await expectStatus(client.ask("GET /v2/"), 200);
    world.registry.clock.advance(5 * minute);
    await expectStatus(client.ask("GET /v2/"), 401);

    expect(await list()).toEqual([
      { name: "robot-ci", state: "revoked", revokedBy: "root", revokedAt: "2026-01-01T00:00:00.000Z" },
    ]);
    await expectStatus(root.ask(`DELETE ${accounts}/robot-ci`), 202);
  });

  it("that is revoked holds for every isolate at once", async () => {
    const robot = await issued("robot-ci");
    const elsewhere = authorized(world.registry.client("elsewhere"), basic(robot));
    await expectStatus(elsewhere.ask("GET /v2/"), 200);
    await expectStatus(root.ask(`DELETE ${accounts}/robot-ci`), 202);
    await expectStatus(elsewhere.ask("GET /v2/"), 401);
  });

  it("whose key is rotated has the new one alone, and keeps the rest", async () => {
    const robot = await issued("robot-ci", { expiresAt: "2026-02-01T00:00:00Z" });
    world.registry.clock.advance(minute);
    const answer = await expectStatus(root.ask(`POST ${accounts}/robot-ci/rotate`, { headers: json }), 200);
    const rotated = (await answer.json()) as Robot;
    expect(rotated).toMatchObject({
      grants: { "team/*": "pull,push" },
      rotatedAt: "2026-01-01T00:01:00.000Z",
      expiresAt: "2026-02-01T00:00:00.000Z",
    });
    expect(rotated.key).not.toBe(robot.key);
    await expectStatus(as(robot).ask("GET /v2/"), 401);
    await expectStatus(as(rotated).ask("GET /v2/"), 200);
  });

  it("whose key is rotated takes its refresh tokens along", async () => {
    const robot = await issued("robot-ci");
    const post = (form: Record<string, string>) =>
      world.stranger.ask("POST /token", {
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form).toString(),
      });
    const form = {
      grant_type: "password",
      username: robot.name,
      password: robot.key,
      access_type: "offline",
    };
    const { refresh_token } = (await (await post(form)).json()) as { refresh_token: string };
    const refresh = { grant_type: "refresh_token", refresh_token };
    await expectStatus(post(refresh), 200);
    await expectStatus(root.ask(`POST ${accounts}/robot-ci/rotate`, { headers: json }), 200);
    await expectStatus(post(refresh), 401);
  });

  it("expires", async () => {
    const robot = await issued("robot-ci", { expiresAt: "2026-01-01T01:00:00Z" });
    world.registry.clock.advance(60 * minute - 1);
    await expectStatus(as(robot).ask("GET /v2/"), 200);
    world.registry.clock.advance(1);
    await expectStatus(as(robot).ask("GET /v2/"), 401);
    expect(await list()).toMatchObject([{ name: "robot-ci", state: "expired" }]);
  });

  it("has its name for itself while it lives, and may be issued again after", async () => {
    await issued("robot-ci", { expiresAt: "2026-01-01T01:00:00Z" });
    await expectStatus(issue({ name: "robot-ci", grants: {} }), 409);
    world.registry.clock.advance(60 * minute);
    const second = await issued("robot-ci");
    await expectStatus(root.ask(`DELETE ${accounts}/robot-ci`), 202);
    const third = await issued("robot-ci");
    await expectStatus(as(second).ask("GET /v2/"), 401);
    await expectStatus(as(third).ask("GET /v2/"), 200);
  });

  it("issued twice at once is issued once", async () => {
    const body = { name: "robot-ci", grants: {} };
    const answers = await Promise.all([issue(body), issue(body), issue(body)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const winner = answers.find(({ status }) => status === 201);
    await expectStatus(as((await winner?.json()) as Robot).ask("GET /v2/"), 200);
  });

  it("that the bucket has damaged is nobody, and can be issued again", async () => {
    const robot = await issued("robot-ci");
    const key = root.registry.store.layout.account("robot-ci");
    for (const body of ["", "{", "[]", '{"state":"live"}', '{"state":"live","hash":"x","grants":{}}']) {
      await world.registry.r2.actor("vandal").put(key, body);
      await expectStatus(as(robot).ask("GET /v2/"), 401);
      expect(await list()).toEqual([{ name: "robot-ci", state: "damaged" }]);
    }
    await expectStatus(as(await issued("robot-ci")).ask("GET /v2/"), 200);
  });

  it("with rights that nobody gave has none of them", async () => {
    const robot = await issued("robot-ci");
    const key = root.registry.store.layout.account("robot-ci");
    const record = (await (await world.registry.r2.actor("vandal").get(key))?.json()) as object;
    await world.registry.r2.actor("vandal").put(key, JSON.stringify({ ...record, admin: true }));
    await expectStatus(as(robot).ask(`GET ${accounts}`), 403);
  });
});

describe("the list", () => {
  it("comes in pages, in the order of names", async () => {
    const names = ["robot-a", "robot-b", "robot-c", "robot-d", "robot-e"];
    for (const name of names.toReversed()) await issued(name);
    expect((await list()).map(({ name }) => name)).toEqual(names);
    const seen: string[] = [];
    let path: string | undefined = `${accounts}?n=2`;
    while (path !== undefined) {
      const answer: Response = await expectStatus(root.ask(`GET ${path}`), 200);
      const page = (await answer.json()) as { readonly accounts: readonly Robot[] };
      expect(page.accounts.length).toBeLessThanOrEqual(2);
      seen.push(...page.accounts.map(({ name }) => name));
      path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("Link") ?? "")?.[1];
    }
    expect(seen).toEqual(names);
  });
});

describe("who is no admin", () => {
  const requests = [
    `GET ${accounts}`,
    `POST ${accounts}`,
    `DELETE ${accounts}/robot-ci`,
    `DELETE ${accounts}/robot-absent`,
    `POST ${accounts}/robot-ci/rotate`,
    "GET /v2/_skerry/adopt",
    "POST /v2/_skerry/adopt",
    "GET /v2/_skerry/gc",
    "POST /v2/_skerry/gc",
  ];

  it("does nothing to robots, nor learns of them", async () => {
    const robot = await issued("robot-ci", { grants: { "*": "pull,push,delete" } });
    const token = await getToken(world.stranger, ["registry:admin:*"], basic(robot));
    for (const request of requests) {
      await expectStatus(as(robot).ask(request), 403);
      for (const client of [world.stranger, authorized(world.stranger, bearer(token))]) {
        const answer = await expectStatus(client.ask(request), 401);
        expect(challengeOf(answer).scope).toBe("registry:admin:*");
      }
    }
    await expectStatus(as(robot).ask("GET /v2/"), 200);
  });

  it("but has an admin's token is one", async () => {
    const token = await getToken(world.stranger, ["registry:admin:*"], basic(world.accounts.root));
    await expectStatus(authorized(world.stranger, bearer(token)).ask(`GET ${accounts}`), 200);
    const other = await getToken(world.stranger, ["repository:team/app:*"], basic(world.accounts.root));
    await expectStatus(authorized(world.stranger, bearer(other)).ask(`GET ${accounts}`), 401);
  });
});

describe("a request that is wrong", () => {
  const good = { name: "robot-ci", grants: { "team/*": "pull" } };

  it.each([
    ["a name that is no robot's", { ...good, name: "root" }],
    ["a name that is a path", { ...good, name: "robot-../../keys/upload" }],
    ["a name in capitals", { ...good, name: "robot-CI" }],
    ["a name of 65 characters", { ...good, name: `robot-${"a".repeat(59)}` }],
    ["no name", { grants: {} }],
    ["no grants", { name: "robot-ci" }],
    ["an action that nobody knows", { ...good, grants: { "team/*": "administer" } }],
    ["push without pull", { ...good, grants: { "team/*": "push" } }],
    ["a pattern that is none", { ...good, grants: { "TEAM/*": "pull" } }],
    ["admin", { ...good, admin: true }],
    ["a key", { ...good, key: "chosen" }],
    ["an end that is no time", { ...good, expiresAt: "soon" }],
    ["an end that is past", { ...good, expiresAt: "2025-12-31T23:59:59Z" }],
    ["a list", []],
    ["nothing", null],
  ])("for %s is a 400", async (_, body) => {
    await expectStatus(issue(body), 400);
    expect(await list()).toEqual([]);
  });

  it("for what another site's page can send is a 400", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      const headers = { "Content-Type": type };
      await expectStatus(root.ask(`POST ${accounts}`, { headers, body: JSON.stringify(good) }), 400);
    }
    await issued("robot-ci");
    await expectStatus(root.ask(`POST ${accounts}/robot-ci/rotate`), 400);
  });

  it("for megabytes is a 400", async () => {
    const grants = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`team/${index}`, "pull"]));
    await expectStatus(issue({ ...good, grants }), 400);
  });

  it.each(["robot-absent", "root", "robot-%2e%2e", "%00"])(
    "for %s, who is nobody, is a 404",
    async (name) => {
      const status = name === "%00" ? 400 : 404;
      await expectStatus(root.ask(`DELETE ${accounts}/${name}`), status);
      await expectStatus(root.ask(`POST ${accounts}/${name}/rotate`, { headers: json }), status);
    },
  );
});
