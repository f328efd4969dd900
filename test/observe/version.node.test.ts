import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { compatibilityDate, version } from "../../src/version.ts";

const root = join(import.meta.dirname, "../..");

it("/version tells the version of package.json and the date of wrangler.toml", async () => {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const config = await readFile(join(root, "wrangler.toml"), "utf8");
  expect(version).toBe(manifest.version);
  expect(compatibilityDate).toBe(/^compatibility_date = "(.*)"$/m.exec(config)?.[1]);
});
