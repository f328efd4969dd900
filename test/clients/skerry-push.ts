import assert from "node:assert/strict";
import { join } from "node:path";
import { projectRoot } from "../../scripts/build-worker.ts";
import { withProxy } from "./harness/checks.ts";
import type { Lab } from "./harness/client.ts";

/** The request body that Cloudflare's Free and Pro plans allow, in bytes. */
const bodyLimit = 100_000_000;

/**
 * Pushes an image of an engine, with a layer above the body limit, with `skerry push` through a proxy that has this
 * limit. The layers are compressed anew, so what must be the same is the configuration with its diff IDs.
 * @param image as `skerry push` takes it, such as `docker:NAME`.
 * @param env with which the program of the engine finds its images.
 */
export async function checkSkerryPush(
  { processes, registry, dir }: Lab,
  image: string,
  imageId: string,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<void> {
  const repository = `skerry-push/${image.split(":")[0]}`;
  await withProxy(registry.host, { maxBody: bodyLimit }, async (proxy) => {
    const script = join(projectRoot, "scripts", "skerry.ts");
    const command = [process.execPath, script, "push", image, `${proxy.host}/${repository}:v1`, ...options];
    const home = {
      XDG_STATE_HOME: join(dir, "skerry", "state"),
      XDG_CACHE_HOME: join(dir, "skerry", "cache"),
    };
    const printed = await processes.run(command, { isolated: true, timeout: 240, env: { ...env, ...home } });
    assert.match(printed, new RegExp(`^${proxy.host}/${repository}:v1@sha256:[0-9a-f]{64}\n$`));
    assert.ok(proxy.exchanges.every(({ status }) => status !== 413));
    assert.ok(
      proxy.exchanges.some(({ method }) => method === "PATCH"),
      "no chunk was sent",
    );
  });
  const digests = await registry.verify(repository, "v1");
  assert.ok(digests.has(imageId), "the configuration did not arrive");
}
