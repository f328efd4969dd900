import assert from "node:assert/strict";
import { RegistryProbe, sha256 } from "../../clients/harness/registry.ts";
import { entryOf } from "../edge-entry.ts";
import { honest } from "../fault-proxy.ts";
import * as faults from "../faults.ts";
import { ask, pushTo, startEdge, startUpstream, type World } from "./world.ts";

/** docker-registry behind a proxy that makes it slow, lying and rate-limiting. */
export async function faulty(world: World): Promise<void> {
  const { checks, fixtures } = world;
  const { busybox, twelveLayers, zstd } = fixtures;
  const upstream = await startUpstream(world, "faulty");
  const { proxy } = upstream;
  const prefixes = ["limited.example", "slow.example", "lying.example", "cut.example"] as const;
  const edge = await startEdge(world, "faulty", {
    upstreams: prefixes.map((prefix) => entryOf(prefix, proxy, { fresh: 0, timeout: 1000 })),
  });
  const probe = new RegistryProbe(edge.host);
  await pushTo(world, upstream, "team/app:v1", twelveLayers);
  await pushTo(world, upstream, "team/other:v1", busybox);

  await checks.check(
    "rate limit: what is held is served, the rest is a 429 with its Retry-After",
    async () => {
      await probe.verify("limited.example/team/app", "v1", twelveLayers.digest);
      proxy.fault = faults.answers(429, { "Retry-After": "3" });
      await probe.verify("limited.example/team/app", "v1", twelveLayers.digest);
      const answer = await ask(edge, "GET", "limited.example/team/other/manifests/v1");
      assert.equal(answer.status, 429);
      assert.ok(Number(answer.headers.get("Retry-After")) > 0);
    },
  );
  await checks.check("slow: a tag that is held is served when the time is over", async () => {
    proxy.fault = honest;
    await probe.verify("slow.example/team/app", "v1", twelveLayers.digest);
    proxy.fault = faults.hangs;
    const started = performance.now();
    await probe.verify("slow.example/team/app", "v1", twelveLayers.digest);
    assert.ok(performance.now() - started < 10_000);
  });
  await checks.check("slow: blobs that trickle come whole", async () => {
    proxy.fault = faults.onlyFor("blobs", faults.trickles(20, 100));
    await probe.verify("slow.example/team/other", "v1", busybox.digest);
  });
  await checks.check("lying: nothing of it is served as what it is not, or kept", async () => {
    // Nobody has pulled this one: what is here already is linked, and never fetched again.
    await pushTo(world, upstream, "team/new:v1", zstd);
    for (const fault of [faults.flips, faults.shortens, faults.lengthens, faults.cuts]) {
      proxy.fault = faults.onlyFor("blobs", fault);
      const path = `lying.example/team/new/blobs/${zstd.imageId}`;
      const came = await ask(edge, "GET", path).then(
        ({ status, body }) => (status === 200 ? sha256(body) : status),
        () => "cut off",
      );
      assert.notEqual(came, zstd.imageId);
      assert.ok(came === "cut off" || (typeof came === "number" && came > 500), String(came));
    }
    proxy.fault = honest;
    await probe.verify("lying.example/team/new", "v1", zstd.digest);
  });
}
