import { describe, expect, it } from "vitest";
import { basic, bearer, challengeOf } from "../auth/credentials.ts";
import { createAuthWorld } from "../auth/world.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { authorized, type Client, createTestRegistry } from "../support/registry.ts";
import { json } from "./world.ts";

/** A registry with accounts that has an upstream; `team/*` is below its prefix too. */
async function closed() {
  const upstream = createTestRegistry().client("upstream");
  const image = await pushImage(upstream, "app", "1", "seed");
  const world = await createAuthWorld(
    { UPSTREAMS: JSON.stringify([{ prefix: "team/up", url: "https://upstream.example" }]) },
    { fetch: (url, init) => upstream.ask(`${init.method} ${url}`) },
  );
  return { ...world, image };
}

const wanted = json({ from: "team/up/app:1" });

function begin(client: Client, into: string): Promise<Response> {
  return client.ask(`POST /v2/${into}/_skerry/imports`, wanted);
}

describe("who may begin an import", () => {
  it("is who may push to its repository and pull from the upstream's", async () => {
    const world = await closed();
    const { writer, reader, cleaner, outsider, root } = world.accounts;
    const statuses = async (into: string) => ({
      writer: (await begin(world.as(writer), into)).status,
      reader: (await begin(world.as(reader), into)).status,
      cleaner: (await begin(world.as(cleaner), into)).status,
      outsider: (await begin(world.as(outsider), into)).status,
      root: (await begin(world.as(root), into)).status,
      stranger: (await begin(world.stranger, into)).status,
    });
    expect(await statuses("team/copy")).toEqual({
      ...{ writer: 202, reader: 403, cleaner: 403, outsider: 403, root: 202, stranger: 401 },
    });
    // The outsider may push there, and not pull what he wants to have there.
    expect(await statuses("other/copy")).toEqual({
      ...{ writer: 403, reader: 403, cleaner: 403, outsider: 403, root: 202, stranger: 401 },
    });
  });

  it("is told by the challenge to ask for both rights, and gets through with a token that has both", async () => {
    const world = await closed();
    const token = async (scopes: readonly string[]) => {
      const query = new URLSearchParams({ service: "registry.example" });
      for (const scope of scopes) query.append("scope", scope);
      const answer = await expectStatus(world.as(world.accounts.writer).ask(`GET /token?${query}`), 200);
      return authorized(world.stranger, bearer((await answer.json<{ token: string }>()).token));
    };
    const push = "repository:team/copy:pull,push";
    const refused = await expectStatus(begin(await token([push]), "team/copy"), 401);
    const { scope = "", error } = challengeOf(refused);
    expect([scope, error]).toEqual([`${push} repository:team/up/app:pull`, "insufficient_scope"]);
    await expectStatus(begin(await token(scope.split(" ")), "team/copy"), 202);
  });
});

it("shows, drives and ends an import for those alone who may push", async () => {
  const world = await closed();
  const { writer, reader, cleaner, outsider } = world.accounts;
  const begun = await expectStatus(begin(world.as(writer), "team/copy"), 202);
  const location = begun.headers.get("Location") ?? "";
  for (const client of [world.as(reader), world.as(cleaner), world.as(outsider)]) {
    await expectStatus(client.ask(`GET ${location}`), 403);
    await expectStatus(client.ask(`POST ${location}`, json({})), 403);
    await expectStatus(client.ask(`DELETE ${location}`), 403);
    await expectStatus(client.ask("GET /v2/team/copy/_skerry/imports"), 403);
  }
  await expectStatus(world.stranger.ask(`GET ${location}`), 401);
  const status = await expectStatus(world.as(writer).ask(`GET ${location}`), 200);
  expect(await status.json()).toMatchObject({
    state: "done",
    createdBy: "writer",
    digest: world.image.digest,
  });
  await expectStatus(world.as(reader).ask("GET /v2/team/copy/manifests/1"), 200);
  await expectStatus(authorized(world.stranger, basic(writer)).ask(`DELETE ${location}`), 204);
});
