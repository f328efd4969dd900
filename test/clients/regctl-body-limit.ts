import assert from "node:assert/strict";
import { join } from "node:path";
import { bigLayer, mebibyte } from "./fixtures/images.ts";
import { layoutDigest, withProxy } from "./harness/checks.ts";
import type { Lab } from "./harness/client.ts";
import { regctlIn } from "./regctl.ts";

/** The request body that Cloudflare's Free and Pro plans allow, in bytes. */
const bodyLimit = 100_000_000;
/** What docs/big-layers.md tells users to set: below the limit, and few requests. */
const chunk = "90000000";

/**
 * Pushes an image with a layer three times as large as the body limit through a proxy that has this limit, from a
 * layout and from what `docker save` writes, and pulls it back. An upload in one piece must be refused, or the proxy
 * would prove nothing.
 */
export async function checkBodyLimit(lab: Lab, program: string): Promise<void> {
  const { processes, registry, dir } = lab;
  const image = await bigLayer(processes, join(dir, "limit"), 300 * mebibyte);
  const source = `oci:${image.layout}:v1`;
  const archive = join(dir, "limit", "saved.tar");
  await processes.run(["skopeo", "copy", source, `docker-archive:${archive}:app:v1`]);

  await withProxy(registry.host, { maxBody: bodyLimit }, async (proxy) => {
    const regctl = regctlIn(lab, program, "body-limit.json");
    await regctl(["registry", "set", "--tls", "disabled", proxy.host]);
    await regctl(["registry", "set", "--blob-max", chunk, "--blob-chunk", chunk, proxy.host]);
    await regctl(["image", "copy", `ocidir://${image.layout}:v1`, `${proxy.host}/regctl/limit:v1`]);
    await registry.verify("regctl/limit", "v1", image.digest);
    await regctl(["image", "import", `${proxy.host}/regctl/saved:v1`, archive]);
    const digests = await registry.verify("regctl/saved", "v1");
    assert.ok(digests.has(image.imageId), "the configuration did not arrive");
    assert.ok(proxy.exchanges.some(({ method, sent }) => method === "PATCH" && sent === Number(chunk)));
    assert.ok(proxy.exchanges.every(({ status }) => status !== 413));

    const pulled = join(dir, "limit", "pulled");
    await regctl(["image", "copy", `${proxy.host}/regctl/limit:v1`, `ocidir://${pulled}:v1`]);
    assert.equal(await layoutDigest(pulled), image.digest);

    const target = `docker://${proxy.host}/regctl/refused:v1`;
    const push = ["skopeo", "copy", "--dest-tls-verify=false", source, target];
    await assert.rejects(processes.run(push), /StatusCode: 413/);
  });
}
