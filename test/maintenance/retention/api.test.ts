import { describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config.ts";
import type { Platform } from "../../../src/registry.ts";
import { basic, makeTestAccount } from "../../auth/credentials.ts";
import { pushImage } from "../../support/content.ts";
import { authorized, type Client } from "../../support/registry.ts";
import { createRetentionWorld, day, type RetentionWorld } from "./world.ts";

interface Page {
  readonly rule: unknown;
  readonly tags: readonly { readonly tag: string; readonly keeps: boolean; readonly because: string }[];
}

/** As createRetentionWorld, with an admin. */
async function createAdminWorld(
  rule: object,
  variables = {},
  platform: Partial<Platform> = {},
): Promise<RetentionWorld & { admin: Client }> {
  const root = await makeTestAccount("root", { admin: true });
  const { accounts } = readConfig({ ACCOUNTS: JSON.stringify([root.entry]) });
  const world = createRetentionWorld(rule, { ...variables, accounts }, platform);
  return { ...world, admin: authorized(world.client, basic(root)) };
}

async function pagesOf(admin: Client, first: string): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const answer = await admin.ask(`GET ${path}`);
    expect(answer.status).toBe(200);
    pages.push(await answer.json<Page>());
    path = /<([^>]+)>/.exec(answer.headers.get("Link") ?? "")?.[1];
  }
  return pages;
}

describe("the verdicts of a repository", () => {
  it("name each tag and what keeps or drops it, page by page as in one", async () => {
    const world = await createAdminWorld({ keep: { any: [{ newest: 1 }, { tags: ["v*"] }] } });
    for (const tag of ["a", "b", "v1"]) {
      await pushImage(world.client, "app", tag, tag);
      world.registry.clock.advance(day);
    }
    await pushImage(world.client, "app", "c", "c");
    const [page] = await pagesOf(world.admin, "/v2/app/_skerry/retention");
    expect(page?.tags.map(({ tag, keeps, because }) => [tag, keeps, because])).toEqual([
      ["a", false, "not (among the newest 1 or named v*)"],
      ["b", false, "not (among the newest 1 or named v*)"],
      ["c", true, "among the newest 1"],
      ["v1", true, "named v*"],
    ]);
    const single = await pagesOf(world.admin, "/v2/app/_skerry/retention?n=1");
    expect(single.flatMap(({ tags }) => tags)).toEqual(page?.tags);
    expect(await world.tags("app")).toHaveLength(4);
  });

  it("of a repository without a rule keep everything", async () => {
    const world = await createAdminWorld({ repositories: ["other"], keep: { newest: 0 } });
    await pushImage(world.client, "app", "a", "a");
    const [page] = await pagesOf(world.admin, "/v2/app/_skerry/retention");
    expect(page).toMatchObject({ rule: null, tags: [{ tag: "a", keeps: true }] });
  });

  it("are for admins", async () => {
    const world = await createAdminWorld({ keep: { newest: 0 } });
    const reader = world.registry.client("reader", { anonymous: "pull" });
    expect((await reader.ask("GET /v2/app/_skerry/retention")).status).toBe(401);
  });
});

describe("a dry run over HTTP", () => {
  const headers = { "Content-Type": "application/json" };

  it("covers a whole pass in steps, each going on where the client says", async () => {
    const world = await createAdminWorld({ keep: { newest: 0 } }, { operationsPerRequest: 150 });
    for (let index = 0; index < 12; index++) await pushImage(world.client, `app${index}`, "1", "same");
    await world.pass();
    for (let index = 0; index < 12; index++) await pushImage(world.client, `app${index}`, "2", "same");
    let body = "";
    for (let steps = 1; ; steps++) {
      expect(steps).toBeLessThan(50);
      const answer = await world.admin.ask("POST /v2/_skerry/gc?dry-run=true", { headers, body });
      expect(answer.status).toBe(200);
      const state = await answer.json<{
        phase: string;
        resume?: unknown;
        report: { counts: { expiredTags: number } };
      }>();
      if (state.phase === "done") {
        expect(steps).toBeGreaterThan(1);
        expect(state.report.counts.expiredTags).toBe(12);
        break;
      }
      body = JSON.stringify({ resume: state.resume });
    }
    expect(await world.tags("app0")).toEqual(["2"]);
  });

  it.each(["{", "[]", '{"resume": {}}', '{"resume": {"phase": "adoption"}}'])("refuses %s", async (body) => {
    const world = await createAdminWorld({ keep: { newest: 0 } });
    expect((await world.admin.ask("POST /v2/_skerry/gc?dry-run=true", { headers, body })).status).toBe(400);
  });
});

it("webhooks are told of the tags that a step removes", async () => {
  const sent: unknown[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    sent.push(await new Response(init.body as BodyInit).json());
    return new Response("");
  };
  const { webhooks } = readConfig({
    WEBHOOKS: JSON.stringify([
      {
        name: "w",
        url: "https://hooks.example.com/w",
        secret: "whsec_bm90LWEtc2VjcmV0LWJ1dC1hbi1leGFtcGxl",
        format: "cloudevents",
        events: ["tag.expired"],
      },
    ]),
  });
  const world = await createAdminWorld({ keep: { newest: 1 } }, { webhooks }, { fetch });
  await pushImage(world.client, "app", "a", "a");
  world.registry.clock.advance(day);
  await pushImage(world.client, "app", "b", "b");
  for (let phase = ""; phase !== "done"; ) {
    const answer = await world.admin.ask("POST /v2/_skerry/gc", {
      headers: { "Content-Type": "application/json" },
    });
    ({ phase } = await answer.json<{ phase: string }>());
  }
  expect(sent).toHaveLength(1);
  expect(JSON.stringify(sent)).toMatch(/tag\.expired.*"tag":"a"/);
});
