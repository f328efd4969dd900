import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Checks } from "../interchange/checks.ts";
import { allPages, signIn, type World } from "./world.ts";

const app = "/-/repositories/team/app";

/** What a user does: looks, signs in, goes back to an older image, deletes. */
export async function visits(world: World, checks: Checks): Promise<void> {
  const check = (what: string, work: (page: Page) => Promise<void>, options = {}) =>
    checks.check(what, () => world.visit(work, options));

  await check(
    "a visitor sees what everybody may pull, and is asked to sign in for the rest",
    async (page) => {
      await page.goto("/");
      assert.deepEqual(await page.getByRole("main").getByRole("listitem").allTextContents(), ["open/tool"]);
      const answer = await page.goto(app);
      assert.equal(answer?.status(), 401);
      await page.getByLabel("Key").waitFor();
      for (const path of ["/-/storage", "/-/garbage-collection"])
        assert.equal((await page.goto(path))?.status(), 401, path);
    },
  );

  await check(
    "a wrong key is refused; a right one opens a session whose cookie no script reads",
    async (page) => {
      await page.goto("/-/sign-in");
      await page.getByLabel("Account").fill("reader");
      await page.getByLabel("Key").fill("wrong");
      await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").waitFor();
      await signIn(page, world, "reader");
      const [cookie, ...others] = await page.context().cookies();
      assert.deepEqual(others, []);
      assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, "Lax"]);
      assert.equal(await page.evaluate("document.cookie"), "");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Sign in" }).waitFor();
      assert.deepEqual(await page.context().cookies(), []);
    },
  );

  await check(
    "a reader sees his repositories alone, finds one, and is offered nothing to delete",
    async (page) => {
      await signIn(page, world, "reader");
      await page.goto("/");
      assert.equal(await page.getByText("private/secret").count(), 0);
      await page.getByLabel("Search repositories").fill("mult");
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("link", { name: "team/multi" }).click();
      await page.getByRole("heading", { level: 1, name: "team/multi" }).waitFor();
      assert.equal(await page.getByRole("link", { name: /delete/i }).count(), 0);
      assert.equal((await page.goto("/-/repositories/team/multi/-/delete"))?.status(), 403);
      assert.equal((await page.goto("/-/garbage-collection"))?.status(), 403);
    },
  );

  await check("tags are sorted three ways, and paged", async (page) => {
    await signIn(page, world, "reader");
    await page.goto("/-/repositories/team/multi");
    const tags = () => page.locator("ul.tags h2").allTextContents();
    const newest = await tags();
    assert.equal(newest.length, 25);
    await page.getByRole("link", { name: "Name", exact: true }).click();
    await page.waitForURL(/sort=name/);
    const named = await tags();
    assert.deepEqual(named, [...named].sort());
    await page.getByRole("link", { name: /next/i }).click();
    await page.waitForURL(/after=/);
    assert.equal((await tags()).length, 6);
    await page.goto("/-/repositories/team/app?sort=size");
    assert.equal((await tags()).at(-1), "1.0");
  });

  await check(
    "an image shows its configuration, its layers with what made them, and its referrers",
    async (page) => {
      await signIn(page, world, "reader");
      await page.goto(`${app}/-/manifests/1.1`);
      const main = (await page.getByRole("main").textContent()) ?? "";
      for (const text of [
        "apk add --no-cache ca-certificates",
        "COPY server",
        "PORT",
        "8080",
        "/usr/bin/server",
      ])
        assert.ok(main.includes(text), text);
      assert.ok(main.includes("application/vnd.example.signature"));
      const link = page.getByRole("link", { name: "https://git.example.com/team/app" });
      assert.equal(await link.getAttribute("href"), "https://git.example.com/team/app");
      const widths = await page.evaluate<number[]>(
        "[...document.querySelectorAll('main table svg rect')].map((bar) => bar.getBoundingClientRect().width)",
      );
      // The third layer has four times the bytes of the first.
      assert.ok(
        widths.length >= 3 && (widths[2] ?? 0) > 3 * (widths[0] ?? 0),
        `layers are drawn ${widths.join(", ")}`,
      );
    },
  );

  await check(
    "every page can be read without script",
    async (page) => {
      await signIn(page, world, "root");
      for (const path of allPages(world)) {
        await page.goto(path);
        await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
        assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0, path);
      }
    },
    { javaScriptEnabled: false },
  );

  await check("an index leads to its platforms", async (page) => {
    await signIn(page, world, "reader");
    await page.goto("/-/repositories/team/multi/-/manifests/1");
    const main = (await page.getByRole("main").textContent()) ?? "";
    assert.ok(main.includes("linux/arm64") && main.includes("linux/amd64"));
    await page.getByRole("main").locator("table a").first().click();
    await page.getByRole("heading", { name: "Configuration" }).waitFor();
  });

  await check(
    "a tag goes back to what it named before, without script",
    async (page) => {
      await signIn(page, world, "writer");
      await page.goto(`${app}/-/manifests/latest/delete`);
      await page.getByRole("button", { name: /delete/i }).click();
      await page.goto(`${app}/-/tags/latest/history`);
      await page.getByText("The tag was removed").waitFor();
      await page.getByRole("button", { name: /^Restore/ }).click();
      await page.goto(`${app}/-/manifests/latest`);
      await page.getByRole("heading", { level: 1, name: "latest" }).waitFor();
    },
    { javaScriptEnabled: false },
  );

  await check("a manifest is deleted after a page that names its tags", async (page) => {
    await signIn(page, world, "writer");
    await page.goto(`${app}/-/manifests/${world.digests.app}/delete`);
    const main = (await page.getByRole("main").textContent()) ?? "";
    assert.ok(main.includes("1.1") && main.includes("latest"));
    await page.getByRole("link", { name: "Cancel" }).click();
    assert.equal((await page.goto(`${app}/-/manifests/1.1`))?.status(), 200);
  });

  await check("storage is drawn, the largest repository over the whole width", async (page) => {
    await signIn(page, world, "root");
    await page.getByRole("link", { name: "Storage" }).click();
    await page.getByText("private/secret").waitFor();
    const widths = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.use rect')].map((bar) => Number(bar.getAttribute('width')))",
    );
    assert.equal(widths[0], 100);
    assert.deepEqual(
      widths,
      widths.toSorted((a, b) => b - a),
    );
  });

  await check("the keyboard alone gets to the content, to sign in and into a repository", async (page) => {
    await page.goto("/");
    await page.keyboard.press("Tab");
    assert.equal(await focusedText(page), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "content");
    await page.goto("/-/sign-in");
    await page.getByLabel("Account").focus();
    await page.keyboard.type("reader");
    await page.keyboard.press("Tab");
    await page.keyboard.type(world.keys.reader);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await page.goto("/?q=plain");
    for (let presses = 0; (await focusedText(page)) !== "team/plain"; presses++) {
      assert.ok(presses < 20, "the repository is not reached by Tab");
      await page.keyboard.press("Tab");
    }
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    assert.notEqual(outline, "none");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "team/plain" }).waitFor();
  });

  await check(
    "no page is wider than a narrow screen",
    async (page) => {
      await signIn(page, world, "root");
      for (const path of allPages(world)) {
        await page.goto(path);
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(width <= 360, `${path} is ${width} pixels wide`);
      }
    },
    { viewport: { width: 360, height: 740 } },
  );
}

async function focusedText(page: Page): Promise<string> {
  return (await page.evaluate<string>("document.activeElement.textContent")).trim();
}
