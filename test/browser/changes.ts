import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Checks } from "../interchange/checks.ts";
import { signIn, type World } from "./world.ts";

/** Steps after which a pass over so few images has long ended. */
const maxSteps = 10;

/** What users change by the pages, as the API sees it afterwards. Comes last, since it deletes. */
export async function changes(world: World, checks: Checks): Promise<void> {
  const check = (what: string, work: (page: Page) => Promise<void>) =>
    checks.check(what, () => world.visit(work));
  const head = (path: string) => world.asRoot.ask(`HEAD /v2/${path}`);
  const digestOf = async (path: string) => (await head(path)).headers.get("Docker-Content-Digest");
  const statusOf = async (path: string) => (await head(path)).status;

  await check("a tag's history leads back to the image before", async (page) => {
    const older = await digestOf("team/moved/manifests/older");
    assert.notEqual(await digestOf("team/moved/manifests/moved"), older);
    await signIn(page, world, "writer");
    await page.goto("/-/repositories/team/moved/-/tags/moved/history");
    await page.getByRole("button", { name: /^Restore/ }).click();
    await page.locator("tbody tr").nth(2).waitFor();
    assert.equal(await digestOf("team/moved/manifests/moved"), older);
    const current = page.locator("tr", { hasText: "current" }).getByRole("link");
    assert.equal(await current.getAttribute("title"), older);
  });

  await check("a tag goes once that is confirmed; its manifest and its other tags stay", async (page) => {
    await signIn(page, world, "writer");
    await page.goto("/-/repositories/team/moved");
    await page.getByRole("link", { name: "Delete tag moved" }).click();
    await page.getByText("These tags name it too, and stay: older.").waitFor();
    assert.equal(await statusOf("team/moved/manifests/moved"), 200);
    await page.getByRole("button", { name: "Delete tag" }).click();
    await page.waitForURL("**/-/repositories/team/moved");
    assert.equal(await statusOf("team/moved/manifests/moved"), 404);
    assert.equal(await statusOf("team/moved/manifests/older"), 200);
  });

  await check("a manifest goes with its tags, which the confirmation names", async (page) => {
    const { app } = world.digests;
    await signIn(page, world, "writer");
    await page.goto(`/-/repositories/team/app/-/manifests/${app}`);
    await page.getByRole("link", { name: "Delete manifest" }).click();
    const confirmation = page.locator(".confirm");
    assert.match((await confirmation.textContent()) ?? "", /\b1\.1\b/);
    await confirmation.getByRole("button").click();
    await page.waitForURL("**/-/repositories/team/app");
    assert.equal(await statusOf(`team/app/manifests/${app}`), 404);
    assert.equal(await statusOf("team/app/manifests/1.1"), 404);
    assert.equal(await statusOf("team/app/manifests/1.0"), 200);
  });

  await check("a repository is emptied, after a page that says how much that is", async (page) => {
    await signIn(page, world, "writer");
    await page.goto("/-/repositories/team/old");
    await page.getByRole("link", { name: "Delete repository" }).click();
    await page.getByText("1 tag and 1 manifest,").waitFor();
    assert.equal(await statusOf("team/old/manifests/1"), 200);
    await page.getByRole("button", { name: "Delete repository" }).click();
    await page.getByRole("heading", { name: "team/old is empty" }).waitFor();
    assert.equal(await statusOf("team/old/manifests/1"), 404);
  });

  await check("garbage collection: a dry run keeps nothing, steps end in a report", async (page) => {
    await signIn(page, world, "root");
    await page.getByRole("link", { name: "Garbage collection" }).click();
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("heading", { name: "What a pass would take" }).waitFor();
    await page.getByText("No pass has ended yet").waitFor();
    for (let steps = 0; (await page.locator(".report").count()) === 0; steps++) {
      assert.ok(steps < maxSteps, "the pass does not end");
      await page.getByRole("button", { name: "Run a step" }).click();
      await page.getByRole("heading", { name: "The step is done" }).waitFor();
    }
  });
}
