import { expect, it } from "vitest";
import { printFinding } from "../../src/maintenance/check/finding.ts";
import { checkBucket } from "../../src/maintenance/check/run.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { expectStatus } from "../support/content.ts";
import {
  app,
  type ClaimsWorld,
  claimInVain,
  createClaimsWorld,
  day,
  grow,
  hour,
  journals,
  layerOfKept,
  layout,
  passes,
  removeLink,
  unlinkedClaims,
} from "./claims-world.ts";

/** What a check finds of claims. */
async function check(world: ClaimsWorld, repair = false): Promise<readonly string[]> {
  const found: string[] = [];
  await checkBucket(world.client("check").registry.store, { repair }, (finding) => {
    if (finding.kind !== "missing reference") found.push(printFinding(finding));
  });
  return found;
}

it("a check finds claims without link that passes have gone by, and leaves them to the next one", async () => {
  const world = await createClaimsWorld();
  await grow(world);
  const digest = await layerOfKept();
  await removeLink(world, digest);
  await passes(world, 1);
  const finding = `claim without link: app ${digest}`;
  expect(await check(world)).toEqual([finding]);
  expect(journals(world)).toEqual([]);
  expect(await check(world, true)).toEqual([`${finding} (repaired)`]);
  expect(journals(world)).toHaveLength(1);
  await passes(world, 1);
  expect(await check(world)).toEqual([]);
  expect(unlinkedClaims(world)).toEqual([]);
});

it("a check says nothing of claims that passes will look at, or that go with a tombstone", async () => {
  const world = await createClaimsWorld();
  await claimInVain(world);
  world.clock.advance(3 * day);
  expect(await check(world)).toEqual([]);
  await passes(world, 1);
  await claimInVain(world);
  await expectStatus(world.user.ask(`DELETE /v2/app/blobs/${await layerOfKept()}`), 202);
  world.clock.advance(hour);
  expect(unlinkedClaims(world)).toHaveLength(2);
  expect(await check(world)).toEqual([]);
});

it("a check that cannot read a claim says so, and goes on", async () => {
  const world = await createClaimsWorld();
  await grow(world);
  const digest = await layerOfKept();
  await removeLink(world, digest);
  await passes(world, 1);
  const key = layout.owner(digest, app);
  world.gate.policy = faults([{ when: "before", times: 1, matching: ({ keys }) => keys[0] === key }]);
  const found = await check(world);
  world.gate.policy = immediate;
  expect(found).toEqual([expect.stringMatching(`^not checked: ${key}: `)]);
});
