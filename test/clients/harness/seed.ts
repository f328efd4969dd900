import type { Fixtures } from "../fixtures/images.ts";
import type { Processes } from "./processes.ts";
import type { RegistryProbe } from "./registry.ts";

/** The repositories that every client may pull from; each has the tag `v1`. */
export const seeds = {
  busybox: "seed/busybox",
  index: "seed/index",
  twelveLayers: "seed/twelve-layers",
  zstd: "seed/zstd",
  big: "seed/big",
  schema2: "seed/schema2",
} as const satisfies Record<keyof Fixtures, string>;

/** Pushes the fixtures as they are, and checks that they arrived whole. */
export async function seed(processes: Processes, registry: RegistryProbe, fixtures: Fixtures): Promise<void> {
  for (const name of Object.keys(seeds) as (keyof Fixtures)[]) {
    const fixture = fixtures[name];
    const source = "layout" in fixture ? `oci:${fixture.layout}:v1` : `dir:${fixture.dir}`;
    const target = `docker://${registry.reference(seeds[name], "v1")}`;
    await processes.run(["skopeo", "copy", "--all", "--dest-tls-verify=false", source, target]);
    await registry.verify(seeds[name], "v1", fixture.digest);
  }
}
