import { join } from "node:path";
import { parseArgs } from "node:util";
import { runChecks } from "../interchange/run-checks.ts";
import { accessibility } from "./accessibility.ts";
import { changes } from "./changes.ts";
import { safety } from "./safety.ts";
import { takeScreenshots } from "./screenshots.ts";
import { visits } from "./visits.ts";
import { startWorld } from "./world.ts";

// npm run test:web [-- --screenshots]
// Looks at the web pages with Debian's Chromium, without a window.

const { values: flags } = parseArgs({ options: { screenshots: { type: "boolean", default: false } } });

process.exitCode = await runChecks("web", ["chromium"], async ({ checks, dir, cleanup }) => {
  const world = await startWorld(join(dir, "state"));
  cleanup.add(() => world.close());
  if (flags.screenshots) await takeScreenshots(world);
  await accessibility(world, checks);
  await safety(world, checks);
  await visits(world, checks);
  await changes(world, checks);
});
