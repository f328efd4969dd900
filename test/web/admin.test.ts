import { beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { type AuthWorld, createAuthWorld, pushAsRoot } from "../auth/world.ts";
import { blobOf, noise, pushBlob, pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";
import { Browser } from "./browser.ts";

let world: AuthWorld;

beforeEach(async () => {
  world = await createAuthWorld();
  for (const name of ["team/app", "other/app"]) await pushAsRoot(world, name);
});

async function signedIn(account: keyof AuthWorld["accounts"], overrides = {}): Promise<Browser> {
  const browser = new Browser(world.registry.client(account, { ...world.config, ...overrides }));
  await browser.signIn(world.accounts[account]);
  return browser;
}

describe("storage", () => {
  test("shows those who signed in what their repositories take", async () => {
    await pushBlob(world.as(world.accounts.root), "team/app", await blobOf(noise(100 * 1024)));
    const { text } = await (await signedIn("reader")).get("/-/storage");
    expect(text).toContain("100 KiB");
    expect(text).toContain("3 blobs");
    expect(text).not.toContain("other/app");
  });

  test("is not for strangers, except where everybody may do everything", async () => {
    expect((await new Browser(world.stranger).get("/-/storage")).status).toBe(401);
    expect((await new Browser(createTestRegistry().client()).get("/-/storage")).status).toBe(200);
  });
});

describe("garbage collection", () => {
  test("is for admins alone", async () => {
    const reader = await signedIn("reader");
    expect((await reader.get("/")).text).not.toContain("/-/garbage-collection");
    expect((await reader.get("/-/garbage-collection")).status).toBe(403);
    expect((await reader.post("/-/garbage-collection", { "dry-run": "true" })).status).toBe(403);
    expect((await new Browser(world.stranger).get("/-/garbage-collection")).status).toBe(401);
  });

  test("dry runs change nothing; steps go on until the pass ends, and leave a report", async () => {
    const root = await signedIn("root");
    const before = await keys(world);
    const dry = await root.post("/-/garbage-collection", { "dry-run": "true" });
    expect(dry.text).toContain("What a pass would take");
    expect(await keys(world)).toEqual(before);
    let answer = await root.post("/-/garbage-collection");
    for (let step = 0; step < 5 && !answer.text.includes("came to its end"); step++) {
      answer = await root.post("/-/garbage-collection");
    }
    expect(answer.text).toContain("The pass came to its end.");
    expect((await root.get("/-/garbage-collection")).text).toContain("Repositories visited");
  });

  test("runs no step in a read-only registry", async () => {
    const root = await signedIn("root", { readOnly: true });
    expect((await root.get("/-/garbage-collection")).text).not.toContain("Run a step");
    expect((await root.post("/-/garbage-collection")).status).toBe(405);
  });
});

async function keys({ stranger }: AuthWorld): Promise<readonly string[]> {
  const { objects } = await stranger.registry.store.bucket.list();
  return objects.map(({ key, etag }) => `${key} ${etag}`);
}

describe("retention", () => {
  const path = "/-/repositories/team/app/-/retention";

  test("shows an admin which tags go, and why, and takes none", async () => {
    await pushImage(world.as(world.accounts.root), "team/app", "keep", "kept");
    const { retention } = readConfig({
      RETENTION: JSON.stringify([{ repositories: ["team/*"], keep: { tags: ["keep"] } }]),
    });
    const root = await signedIn("root", { retention });
    const { text } = await root.get(path);
    expect(text).toMatch(/manifests\/1"[\s\S]*>goes</);
    expect(text).toMatch(/manifests\/keep"[\s\S]*<td>stays</);
    expect((await root.get("/-/repositories/team/app/-/manifests/1")).status).toBe(200);
    expect((await (await signedIn("root")).get(path)).text).toContain("No rule is for this repository");
  });

  test("is for admins alone", async () => {
    expect((await (await signedIn("reader")).get(path)).status).toBe(403);
  });
});
