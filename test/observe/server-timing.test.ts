import { describe, expect, it } from "vitest";
import { createAuthWorld } from "../auth/world.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

async function timingOf(answer: Promise<Response>): Promise<string | null> {
  return (await answer).headers.get("Server-Timing");
}

describe("Server-Timing", () => {
  it("tells whoever may do everything what the request asked for", async () => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", "1", "a");
    expect(await timingOf(client.ask("GET /v2/app/manifests/1"))).toBe(
      'total;dur=0, r2;desc="head 1", kv;desc="get 1"',
    );
    expect(await timingOf(client.ask("GET /v2/"))).toBe("total;dur=0");
  });

  it("tells nobody else, since a mount costs what is in repositories that he may not see", async () => {
    const world = await createAuthWorld();
    const { root, writer } = world.accounts;
    await pushImage(world.as(root), "team/app", "1", "a");
    const request = "GET /v2/team/app/manifests/1";
    expect(await timingOf(expectStatus(world.as(root).ask(request), 200))).toContain("r2;");
    expect(await timingOf(expectStatus(world.as(writer).ask(request), 200))).toBe(null);
    expect(await timingOf(expectStatus(world.stranger.ask(request), 401))).toBe(null);
    expect(await timingOf(world.stranger.ask("GET /livez"))).toBe(null);
  });

  it.each([
    ["everybody", true],
    ["off", false],
  ] as const)("with %s is sent: %s", async (serverTiming, isSent) => {
    const world = await createAuthWorld({ SERVER_TIMING: serverTiming });
    for (const client of [world.stranger, world.as(world.accounts.root)]) {
      expect((await timingOf(client.ask("GET /v2/_catalog"))) !== null).toBe(isSent);
    }
  });
});
