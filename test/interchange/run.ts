import { join } from "node:path";
import { backup } from "./backup.ts";
import { fromDistribution } from "./from-distribution.ts";
import { inPlace } from "./in-place.ts";
import { pushCommand } from "./push-command.ts";
import type { Holdings } from "./registry.ts";
import { runChecks } from "./run-checks.ts";
import { secondDoor } from "./second-door.ts";
import { pushToSkerry, toDistribution } from "./to-distribution.ts";
import { makeInterchangeFixtures, type World } from "./world.ts";

// npm run test:interchange
// Takes over what Debian's docker-registry wrote, and hands it what Skerry holds; backs a bucket up, and restores it; pushes to
// docker-registry with our own command.

const packages = ["docker-registry", "skopeo", "busybox-static", "rclone"];

process.exitCode = await runChecks("interchange", packages, async ({ processes, checks, dir }) => {
  const world: World = {
    processes,
    checks,
    dir,
    fixtures: await makeInterchangeFixtures(processes, join(dir, "fixtures")),
    state: join(dir, "state"),
    holdings: new Map(),
  };
  await fromDistribution(world);
  await pushToSkerry(world);
  const held: Holdings = new Map([...world.holdings].map(([name, tags]) => [name, new Map(tags)]));
  await toDistribution(world);
  await inPlace({ ...world, holdings: held });
  await secondDoor(world);
  await pushCommand(world);
  await backup(world);
});
