import { beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../support/registry.ts";
import { authorized } from "../support/registry.ts";
import { basic, bearer, challengeOf, getToken } from "./credentials.ts";
import { type AuthWorld, createAuthWorld, identityClaims, pushAsRoot } from "./world.ts";

const repositories = ["public/app", "team/app", "team/hidden", "other/app", "team/absent"] as const;
type Repository = (typeof repositories)[number];

/** What each may do to each repository, said once more than in the grants of the world. */
const rights: Readonly<Record<string, Readonly<Record<Repository, string>>>> = {
  stranger: table("pull", "", "", "", ""),
  reader: table("pull", "pull", "pull", "", "pull"),
  writer: table("pull", "pull push", "pull push", "", "pull push"),
  cleaner: table("pull", "pull delete", "pull delete", "", "pull delete"),
  outsider: table("pull", "", "", "pull push delete", ""),
  root: table(
    "pull push delete",
    "pull push delete",
    "pull push delete",
    "pull push delete",
    "pull push delete",
  ),
  robot: table("pull", "pull push", "", "", ""),
  job: table("pull", "pull push", "", "", ""),
};

function table(...cells: readonly [string, string, string, string, string]): Record<Repository, string> {
  const [open, app, hidden, other, absent] = cells;
  return {
    "public/app": open,
    "team/app": app,
    "team/hidden": hidden,
    "other/app": other,
    "team/absent": absent,
  };
}

const missing = `sha256:${"0".repeat(64)}`;

/** Every request to a repository: what it takes, and the answers where it is allowed: if the repository is there, if not. */
const requests: readonly (readonly [request: string, action: string, there: number, absent: number])[] = [
  ["GET manifests/1", "pull", 200, 404],
  ["HEAD manifests/1", "pull", 200, 404],
  [`GET manifests/${missing}`, "pull", 404, 404],
  [`GET blobs/${missing}`, "pull", 404, 404],
  ["GET tags/list", "pull", 200, 404],
  [`GET referrers/${missing}`, "pull", 200, 200],
  ["GET _skerry/tags", "pull", 200, 404],
  ["GET _skerry/tags/1/history", "pull", 200, 404],
  ["GET _oci/ext/discover", "pull", 200, 200],
  ["PUT manifests/2", "push", 400, 400],
  ["POST blobs/uploads/", "push", 202, 202],
  ["GET blobs/uploads/x", "push", 404, 404],
  ["PATCH blobs/uploads/x", "push", 404, 404],
  [`PUT blobs/uploads/x?digest=${missing}`, "push", 404, 404],
  ["DELETE blobs/uploads/x", "push", 404, 404],
  ["POST _skerry/tags/absent/restore", "push", 404, 404],
  ["GET _skerry/imports", "push", 200, 200],
  ["POST _skerry/imports", "push", 400, 400],
  ["GET _skerry/imports/x", "push", 404, 404],
  ["POST _skerry/imports/x", "push", 404, 404],
  ["DELETE _skerry/imports/x", "push", 404, 404],
  ["DELETE manifests/absent", "delete", 404, 404],
  [`DELETE manifests/${missing}`, "delete", 404, 404],
  [`DELETE blobs/${missing}`, "delete", 404, 404],
];

const scopeActions: Readonly<Record<string, string>> = { pull: "pull", push: "pull,push", delete: "delete" };

let world: AuthWorld;
/** The `Authorization` of each, of which the stranger has none. */
const authorizations: Record<string, string | undefined> = {};

beforeAll(async () => {
  world = await createAuthWorld();
  for (const name of repositories) if (name !== "team/absent") await pushAsRoot(world, name);
  for (const account of Object.values(world.accounts)) authorizations[account.name] = basic(account);
  const issued = await world.as(world.accounts.root).ask("POST /v2/_skerry/accounts", {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "robot-app", grants: { "team/app": "pull,push" } }),
  });
  authorizations.robot = basic((await issued.json()) as { name: string; key: string });
  const identityToken = await world.issuer.sign(identityClaims(world));
  authorizations.job = basic({ name: "oidc", key: identityToken });
});

function requestTo(name: Repository, request: string): string {
  const [method, path] = request.split(" ");
  return `${method} /v2/${name}/${path}`;
}

const cells = Object.keys(rights).flatMap((who) => repositories.map((name) => ({ who, name })));

describe.each(cells)("$who on $name", ({ who, name }) => {
  const may = (action: string) => (rights[who]?.[name] ?? "").split(" ").includes(action);

  async function expectAllowed(client: Client, request: string, there: number, absent: number) {
    const answer = await client.ask(requestTo(name, request));
    expect([request, answer.status]).toEqual([request, name === "team/absent" ? absent : there]);
  }

  it("directly", async () => {
    const authorization = authorizations[who];
    const client = authorization === undefined ? world.stranger : authorized(world.stranger, authorization);
    for (const [request, action, there, absent] of requests) {
      if (may(action)) {
        await expectAllowed(client, request, there, absent);
        continue;
      }
      const answer = await client.ask(requestTo(name, request));
      expect([request, answer.status]).toEqual([request, who === "stranger" ? 401 : 403]);
      expect(answer.headers.has("WWW-Authenticate")).toBe(who === "stranger");
    }
  });

  it("with a token for what the challenge asks", async () => {
    const none = bearer(await getToken(world.stranger, [], authorizations[who]));
    for (const [request, action, there, absent] of requests) {
      const wanted = `repository:${name}:${scopeActions[action]}`;
      const challenged = await authorized(world.stranger, none).ask(requestTo(name, request));
      if (name === "public/app" && action === "pull") {
        expect(challenged.status).not.toBe(401);
        continue;
      }
      expect(challenged.status).toBe(401);
      expect(challengeOf(challenged)).toMatchObject({ scope: wanted, error: "insufficient_scope" });

      const client = authorized(
        world.stranger,
        bearer(await getToken(world.stranger, [wanted], authorizations[who])),
      );
      if (may(action)) {
        await expectAllowed(client, request, there, absent);
        continue;
      }
      const answer = await client.ask(requestTo(name, request));
      expect([request, answer.status]).toEqual([request, 401]);
      expect(challengeOf(answer)).toMatchObject({ scope: wanted, error: "insufficient_scope" });
    }
  });
});

describe("who may not see a repository", () => {
  it.each(["stranger", "outsider", "robot", "job"])("%s does not learn whether it is there", async (who) => {
    const authorization = authorizations[who];
    const client = authorization === undefined ? world.stranger : authorized(world.stranger, authorization);
    for (const [request] of requests) {
      const [there, absent] = await Promise.all(
        (["team/hidden", "team/absent"] as const).map(async (name) => {
          const answer = await client.ask(requestTo(name, request));
          const text = `${answer.status} ${[...answer.headers].join("\n")} ${await answer.text()}`;
          return text.replaceAll(name, "NAME").replaceAll(/content-length,\d+/g, "");
        }),
      );
      expect(there).toBe(absent);
    }
  });
});
