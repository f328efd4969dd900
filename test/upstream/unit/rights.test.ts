import { expect, it } from "vitest";
import { basic, bearer, challengeOf } from "../../auth/credentials.ts";
import { createAuthWorld } from "../../auth/world.ts";
import { expectStatus, pushImage } from "../../support/content.ts";
import { authorized, createTestRegistry } from "../../support/registry.ts";

/** A closed registry that mirrors an open one. */
async function closed(variables: Readonly<Record<string, string>> = {}) {
  const upstream = createTestRegistry().client("upstream");
  await pushImage(upstream, "team/app", "1", "seed");
  const upstreams = [{ prefix: "up", url: "https://upstream.example", hosts: ["mirror.example"] }];
  return createAuthWorld(
    { UPSTREAMS: JSON.stringify(upstreams), ...variables },
    { fetch: (url, init) => upstream.ask(`${init.method} ${url}`) },
  );
}

it.each([
  ["by `ns`", "/v2/team/app/manifests/1?ns=up", {}],
  ["by host", "https://mirror.example/v2/team/app/manifests/1", {}],
  [
    "by host, while tokens are had elsewhere",
    "https://mirror.example/v2/team/app/manifests/1",
    {
      PUBLIC_URL: "https://registry.example",
    },
  ],
])(
  "a client who names an upstream's repository %s gets a token for it by either name",
  async (_, url, more) => {
    const world = await closed(more);
    const refused = await expectStatus(world.stranger.ask(`GET ${url}`), 401);
    const { realm, service = "", scope = "" } = challengeOf(refused);
    expect(scope).toBe("repository:up/team/app:pull");
    for (const asked of [scope, "repository:team/app:pull"]) {
      const place = new URL(realm ?? "");
      place.searchParams.set("service", service);
      place.searchParams.set("scope", asked);
      const root = authorized(world.stranger, basic(world.accounts.root));
      const { token } = await (await expectStatus(root.ask(`GET ${place}`), 200)).json<{ token: string }>();
      await expectStatus(authorized(world.stranger, bearer(token)).ask(`GET ${url}`), 200);
    }
  },
);

it("rights are for the name below the prefix", async () => {
  const world = await closed();
  const reader = world.as(world.accounts.reader);
  // He may pull team/*, which up/team/app is not.
  await expectStatus(reader.ask("GET /v2/team/app/manifests/1?ns=up"), 403);
  await expectStatus(reader.ask("GET /v2/up/team/app/manifests/1"), 403);
});
