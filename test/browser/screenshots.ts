import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../scripts/build-worker.ts";
import { signIn, type World } from "./world.ts";

/** Pictures for the README: name, page, and colours. */
const pictures = [
  ["tags", "/-/repositories/team/app", "light"],
  ["image", "/-/repositories/team/app/-/manifests/1.1", "dark"],
] as const;

/** Writes the pictures to docs/images/. */
export async function takeScreenshots(world: World): Promise<void> {
  const folder = join(projectRoot, "docs/images");
  await mkdir(folder, { recursive: true });
  for (const [name, path, colorScheme] of pictures) {
    await world.visit(
      async (page) => {
        await signIn(page, world, "writer");
        await page.goto(path);
        await page.screenshot({ path: join(folder, `${name}.png`) });
      },
      { colorScheme, viewport: { width: 1000, height: 680 } },
    );
  }
}
