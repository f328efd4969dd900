import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { isDeep, readState } from "../../src/maintenance/gc/state.ts";
import { type Digest, digestFrom } from "../../src/oci/digest.ts";
import { parseRepositoryName, type RepositoryName } from "../../src/oci/name.ts";
import { Layout } from "../../src/storage/layout.ts";
import { blobOf, expectStatus, pushImage, type TestManifest } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

export const hour = 3600 * 1000;
export const day = 24 * hour;
export const layout = new Layout();
export const app: RepositoryName = parseRepositoryName("app");
export const policy: GcPolicy = { grace: day, keepTombstones: 2 * day, uploadAge: 8 * day };

/** A registry in which claims have become too old for passes to look at them. */
export interface ClaimsWorld extends TestRegistry {
  readonly user: Client;
  readonly kept: TestManifest;
}

export async function createClaimsWorld(): Promise<ClaimsWorld> {
  const registry = createTestRegistry();
  const user = registry.client("user");
  const kept = await pushImage(user, "app", "kept", "kept");
  return { ...registry, user, kept };
}

/** Passes that look at all claims there are, and find none of them too young; then as much time as they need. */
export async function grow(world: ClaimsWorld): Promise<void> {
  await passes(world, 2);
}

/** Whole passes two days apart, none of which looks at all claims unless it is the bucket's first. */
export async function passes(
  world: TestRegistry,
  times: number,
  change: Partial<GcPolicy> & { readonly operations?: number } = {},
): Promise<void> {
  const { operations = 100_000, ...changed } = change;
  const { store } = world.client("collector").registry;
  for (let pass = 0; pass < times; pass++) {
    for (let steps = 0; ; steps++) {
      if (steps > 500) throw new Error("the pass does not end");
      const step = { policy: { ...policy, ...changed }, operations, every: 0 };
      if ((await runGcStep(store, step)).phase === "done") break;
    }
    const state = await readState(store);
    if (state !== undefined && state.count > 0 && isDeep(state)) throw new Error("that was a sixteenth pass");
    world.clock.advance(2 * day);
  }
}

/** One step, of a collector by that name. */
export async function step(world: TestRegistry, actor = "collector"): Promise<void> {
  await runGcStep(world.client(actor).registry.store, { policy, operations: 100_000, every: 0 });
}

/** Images that were deleted, one in each repository: links, claims and tombstones go in the next pass. */
export async function doom(world: ClaimsWorld, ...names: readonly string[]): Promise<void> {
  const images = await Promise.all(
    names.map((name) => pushImage(world.user, name, "gone", `gone from ${name}`)),
  );
  await grow(world);
  for (const [index, name] of names.entries()) {
    await expectStatus(world.user.ask(`DELETE /v2/${name}/manifests/${images[index]?.digest}`), 202);
  }
  await passes(world, 1);
  world.clock.advance(day);
}

/** The claim of a push that died before it made a link: the first one that passes come to. */
export async function claimInVain(world: ClaimsWorld): Promise<void> {
  const digest = digestFrom("sha256", "0".repeat(64));
  await world.r2.actor("user").put(layout.owner(digest, app), "");
}

/** A layer of the image that is kept. */
export const layerOfKept = async () => (await blobOf("layer of kept")).digest;

/** Claims behind which no link stands, with their repositories. */
export function unlinkedClaims({ r2 }: TestRegistry): readonly string[] {
  const live = new Set<string>();
  for (const { key, customMetadata } of r2.store.objects())
    if (customMetadata.tombstone === undefined) live.add(key);
  return [...live].filter((key) => {
    const claim = layout.parse(key);
    if (claim?.kind !== "owner") return false;
    const { name, digest } = claim;
    return !live.has(layout.layerLink(name, digest)) && !live.has(layout.revisionLink(name, digest));
  });
}

export function journals({ r2 }: TestRegistry): readonly string[] {
  return [...r2.store.objects()].map(({ key }) => key).filter((key) => key.startsWith(layout.gcJournals()));
}

/** Takes a link away behind everybody's back. */
export async function removeLink(world: TestRegistry, digest: Digest): Promise<void> {
  await world.r2.actor("vandal").delete(layout.layerLink(app, digest));
}
