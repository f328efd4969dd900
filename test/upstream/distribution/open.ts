import assert from "node:assert/strict";
import type { Fixtures } from "../../clients/fixtures/images.ts";
import { assertSameMembers } from "../../clients/harness/checks.ts";
import { RegistryProbe } from "../../clients/harness/registry.ts";
import { errorsOf } from "../../support/answers.ts";
import { entryOf } from "../edge-entry.ts";
import { ask, pushTo, startEdge, startUpstream, type World } from "./world.ts";

const prefix = "mirror.example";

/** An open docker-registry: images of every kind come through unchanged, and outlive it. */
export async function open(world: World): Promise<void> {
  const { checks, fixtures } = world;
  const upstream = await startUpstream(world, "open");
  const edge = await startEdge(world, "open", {
    upstreams: [entryOf(prefix, upstream.proxy, { fresh: 0, deny: ["secret/*"] })],
  });
  const probe = new RegistryProbe(edge.host);
  const kinds = Object.keys(fixtures) as (keyof Fixtures)[];
  const nameOf = (kind: string) => `team/${kind.toLowerCase()}`;

  await checks.check("open: images of every kind are pulled byte for byte", async () => {
    for (const kind of kinds) {
      await pushTo(world, upstream, `${nameOf(kind)}:v1`, fixtures[kind]);
      await probe.verify(`${prefix}/${nameOf(kind)}`, "v1", fixtures[kind].digest);
    }
  });
  await checks.check("open: its tags are listed in its own order, and in its own pages", async () => {
    for (const tag of ["10", "9", "1-alpine"])
      await pushTo(world, upstream, `team/tags:${tag}`, fixtures.busybox);
    const tags = await probe.tags(`${prefix}/team/tags`);
    assertSameMembers(tags, ["1-alpine", "10", "9"]);
    assert.deepEqual(tags, await upstream.distribution.tags("team/tags"));
    const page = await ask(edge, "GET", `${prefix}/team/tags/tags/list?n=2`);
    const theirs = await fetch(`http://${upstream.distribution.host}/v2/team/tags/tags/list?n=2`);
    assert.deepEqual(
      JSON.parse(page.body.toString()).tags,
      ((await theirs.json()) as { readonly tags: unknown }).tags,
    );
    assert.equal(page.headers.has("Link"), theirs.headers.has("Link"));
  });
  await checks.check("open: it has no referrers API, which means no referrers", async () => {
    assert.deepEqual(await probe.referrers(`${prefix}/team/busybox`, fixtures.busybox.digest), []);
  });
  await checks.check("open: what it does not have, or may not be had, is a 404 or 403", async () => {
    for (const [path, status, code] of [
      ["team/busybox/manifests/v9", 404, "MANIFEST_UNKNOWN"],
      ["team/nothing/manifests/v1", 404, "MANIFEST_UNKNOWN"],
      [`team/busybox/blobs/sha256:${"0".repeat(64)}`, 404, "BLOB_UNKNOWN"],
      ["secret/app/manifests/v1", 403, "DENIED"],
    ] as const) {
      const answer = await ask(edge, "GET", `${prefix}/${path}`);
      assert.deepEqual([answer.status, errorsOf(answer.body.toString())[0]?.code], [status, code], path);
    }
  });
  await checks.check("open: nothing is written or deleted through it", async () => {
    for (const [method, path] of [
      ["PUT", "team/busybox/manifests/v2"],
      ["DELETE", "team/busybox/manifests/v1"],
      ["DELETE", `team/busybox/blobs/${fixtures.busybox.imageId}`],
      ["POST", "team/busybox/blobs/uploads/"],
    ] as const) {
      const answer = await ask(edge, method, `${prefix}/${path}`);
      assert.deepEqual(
        [answer.status, errorsOf(answer.body.toString())[0]?.code],
        [405, "UNSUPPORTED"],
        `${method} ${path}`,
      );
    }
  });
  await checks.check("open: repositories of Skerry's own live beside it", async () => {
    const from = `oci:${fixtures.busybox.layout}:v1`;
    const target = `docker://${edge.host}/own/busybox:v1`;
    await world.processes.run(["skopeo", "copy", "--dest-tls-verify=false", from, target]);
    await probe.verify("own/busybox", "v1", fixtures.busybox.digest);
  });
  await checks.check("open: a tag that moves there moves here", async () => {
    await pushTo(world, upstream, "team/moving:v1", fixtures.busybox);
    await probe.verify(`${prefix}/team/moving`, "v1", fixtures.busybox.digest);
    await pushTo(world, upstream, "team/moving:v1", fixtures.index);
    await probe.verify(`${prefix}/team/moving`, "v1", fixtures.index.digest);
  });
  await checks.check("open: a tag that is deleted there is gone here, and its digest is not", async () => {
    await pushTo(world, upstream, "team/deleted:v1", fixtures.zstd);
    await probe.verify(`${prefix}/team/deleted`, "v1", fixtures.zstd.digest);
    await world.processes.run([
      "skopeo",
      "delete",
      "--tls-verify=false",
      `docker://${upstream.distribution.host}/team/deleted:v1`,
    ]);
    assert.equal(await probe.digest(`${prefix}/team/deleted`, "v1"), undefined);
    await probe.verify(`${prefix}/team/deleted`, fixtures.zstd.digest, fixtures.zstd.digest);
  });
  await checks.check("open: killed, it is not missed for what was pulled", async () => {
    await upstream.stop();
    for (const kind of kinds) {
      await probe.verify(`${prefix}/${nameOf(kind)}`, "v1", fixtures[kind].digest);
    }
    const answer = await ask(edge, "GET", `${prefix}/team/busybox/manifests/v1`);
    assert.match(answer.headers.get("Warning") ?? "", /^299 - "/);
  });
}
