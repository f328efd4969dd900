import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import type { Checks } from "../interchange/checks.ts";
import { attacks } from "./hostile.ts";
import { allPages, signIn, type World } from "./world.ts";

/** That nothing of an image runs, that pages keep to their own policy, and that other sites change nothing. */
export async function safety(world: World, checks: Checks): Promise<void> {
  await checks.check(
    "a script that runs would be noticed, and the policy stops one that gets into a page",
    () =>
      world.visit(async (page) => {
        const heard = listen(page);
        await page.setContent(attacks.script ?? "");
        assert.equal(await page.evaluate("window.__ran"), 1);
        await page.goto("/-/sign-in");
        const complaint = page.waitForEvent("console");
        await page.evaluate(
          "document.body.append(Object.assign(document.createElement('script'), { text: 'window.__ran=1' }))",
        );
        assert.match((await complaint).text(), /Content Security Policy/);
        assert.equal(await page.evaluate("window.__ran"), undefined);
        assert.equal(heard.length, 1);
      }),
  );

  await checks.check("over https the cookie of a session is Secure, and of this host alone", async () => {
    const answer = await fetch(`${world.origin}/-/sign-in`, {
      method: "POST",
      redirect: "manual",
      headers: { "X-Forwarded-Proto": "https", Origin: `https://${new URL(world.origin).host}` },
      body: new URLSearchParams({ name: "root", key: world.keys.root }),
    });
    assert.equal(answer.status, 303);
    const [value, ...attributes] = (answer.headers.get("Set-Cookie") ?? "").split("; ");
    assert.match(value ?? "", /^__Host-skerry=./);
    for (const attribute of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"])
      assert.ok(attributes.includes(attribute), `${attribute} is missing`);
  });

  await checks.check("nothing that a hostile image says runs, and all of it is there to read", () =>
    world.visit(async (page) => {
      const heard = listen(page);
      await signIn(page, world, "root");
      await page.goto("/-/repositories/team/hostile/-/manifests/1");
      await page.mouse.move(400, 400);
      for (const element of await page.locator("main *:visible").all())
        await element.hover({ timeout: 50 }).catch(() => undefined);
      assert.equal(await page.evaluate("window.__ran"), undefined);
      assert.equal(await page.locator("#escaped, main img, main script, [onclick], [onerror]").count(), 0);
      const links = await page.evaluate<string[]>("[...document.links].map(({ protocol }) => protocol)");
      assert.deepEqual(
        [...new Set(links)].filter((protocol) => !/^https?:$/.test(protocol)),
        [],
      );
      const text = (await page.getByRole("main").textContent()) ?? "";
      assert.ok(text.includes("<script>window.__ran=1</script>"));
      const controls = ["\u202E", "\u2066", "\u0000", "\u001B"].filter((control) => text.includes(control));
      assert.deepEqual(controls, []);
      assert.deepEqual(heard, []);
    }),
  );

  await checks.check("nothing that an address says runs, or leads elsewhere", () =>
    world.visit(async (page) => {
      const heard = listen(page);
      await signIn(page, world, "root");
      for (const attack of Object.values(attacks).filter(({ length }) => length < 1000)) {
        const text = encodeURIComponent(attack);
        for (const path of [`/?q=${text}`, `/-/repositories/team/hostile/-/manifests/${text}`])
          await page.goto(path);
        await page.goto(`/-/sign-in?next=${text}`);
        assert.equal(await page.locator("input[name=next]").inputValue(), "/");
        assert.equal(await page.evaluate("window.__ran"), undefined);
      }
      assert.deepEqual(heard, []);
    }),
  );

  await checks.check("no page breaks its policy, or anything else", () =>
    world.visit(async (page) => {
      const heard = listen(page);
      await signIn(page, world, "root");
      for (const path of allPages(world)) {
        await page.goto(path);
        const copy = page.getByRole("button", { name: "Copy" }).first();
        if ((await copy.count()) > 0) await copy.click();
      }
      assert.deepEqual(heard, []);
    }),
  );

  await checks.check("another site's form deletes nothing, whoever is signed in", () =>
    world.visit(async (page) => {
      await signIn(page, world, "root");
      const target = `${world.origin}/-/repositories/team/plain/-/manifests/1/delete`;
      const site = createServer((_, response) => {
        response.setHeader("Content-Type", "text/html");
        response.end(`<form method=post action="${target}"><button>go</button></form>`);
      }).listen(0, "127.0.0.1");
      await once(site, "listening");
      try {
        // Another port of the same host is the same site, to which cookies go: what is left is the check of the origin.
        await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
        const [answer] = await Promise.all([page.waitForResponse(target), page.getByRole("button").click()]);
        assert.equal(answer.status(), 403);
      } finally {
        site.close();
        site.closeAllConnections();
      }
      assert.equal((await page.goto("/-/repositories/team/plain/-/manifests/1"))?.status(), 200);
    }),
  );
}

/** What a page complains of: scripts that fail, broken policies, dialogs. Pages that are errors say so, and that is none. */
function listen(page: Page): string[] {
  const heard: string[] = [];
  page.on("pageerror", (error) => heard.push(error.message));
  page.on("dialog", (dialog) => {
    heard.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    const isStatus = message
      .text()
      .startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !isStatus) heard.push(message.text());
  });
  return heard;
}
