import assert from "node:assert/strict";
import axe from "axe-core";
import type { Checks } from "../interchange/checks.ts";
import { allPages, signIn, type World } from "./world.ts";

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** axe's rules for WCAG 2.2 A and AA, on every page, in light and in dark. */
export async function accessibility(world: World, checks: Checks): Promise<void> {
  const backgrounds = new Set<string>();
  for (const colorScheme of ["light", "dark"] as const) {
    await checks.check(`axe finds nothing against any page, ${colorScheme}`, () =>
      world.visit(
        async (page) => {
          await page.goto("/-/sign-in");
          const paths = ["/-/sign-in", ...allPages(world)];
          let passes = 0;
          for (const path of paths) {
            if (path === "/") await signIn(page, world, "root");
            await page.goto(path);
            // Evaluated by the browser's debugger, which the page's policy does not bind.
            await page.evaluate(axe.source);
            const { violations, passes: passed } = await page.evaluate<axe.AxeResults>(
              `axe.run({ runOnly: ${JSON.stringify(rules)} })`,
            );
            assert.deepEqual(violations.map(complaint), [], path);
            passes += passed.length;
          }
          backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
          console.log(`     ${paths.length} pages, ${passes} rules passed, 0 violations`);
        },
        { colorScheme },
      ),
    );
  }
  await checks.check("dark is another look than light", async () => assert.equal(backgrounds.size, 2));
}

function complaint({ id, help, nodes }: axe.Result): string {
  return `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`;
}
