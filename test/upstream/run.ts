import { join } from "node:path";
import { makeFixtures } from "../clients/fixtures/images.ts";
import { runChecks } from "../interchange/run-checks.ts";
import { basicAuth } from "./distribution/basic-auth.ts";
import { faulty } from "./distribution/faulty.ts";
import { imports } from "./distribution/imports.ts";
import { open } from "./distribution/open.ts";
import type { World } from "./distribution/world.ts";

// npm run test:upstream
// Pulls through Skerry on workerd from Debian's docker-registry, as it is, closed, killed, slow, lying and refusing, and
// imports from it while Skerry is killed.

const packages = ["docker-registry", "skopeo", "busybox-static", "apache2-utils"];

process.exitCode = await runChecks("upstream", packages, async ({ processes, checks, dir, cleanup }) => {
  const fixtures = await makeFixtures(processes, join(dir, "fixtures"));
  const world: World = { processes, checks, dir, cleanup, fixtures };
  await open(world);
  await basicAuth(world);
  await faulty(world);
  await imports(world);
});
