import assert from "node:assert/strict";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, assertSameMembers, layoutDigest, lines, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";

export async function openCrane(lab: Lab, program: string): Promise<Client> {
  const { processes, registry, fixtures, dir } = lab;
  const env = { DOCKER_CONFIG: join(dir, "docker") };
  const crane = (...args: readonly string[]) => processes.run([program, ...args], { timeout: 120, env });
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);

  async function push(fixture: Fixture, repository: string, tag = "v1"): Promise<void> {
    await crane("push", fixture.layout, image(repository, tag));
    await registry.verify(repository, tag, fixture.digest);
  }

  async function pull(fixture: Fixture, repository: string): Promise<void> {
    const layout = join(dir, repository.replace("/", "-"));
    await crane("pull", "--format", "oci", image(repository), layout);
    assert.equal(await layoutDigest(layout), fixture.digest);
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(fixture, repository);
    await pull(fixture, repository);
  }

  return {
    checks: {
      push: () => push(fixtures.busybox, "crane/busybox"),
      pull: async () => {
        await pull(fixtures.busybox, seeds.busybox);
        await crane("validate", "--remote", image(seeds.busybox));
      },
      inspect: async () => {
        assert.equal((await crane("digest", image(seeds.index))).trim(), fixtures.index.digest);
        assert.equal(JSON.parse(await crane("config", image(seeds.busybox))).architecture, "amd64");
      },
      "list tags": async () => {
        for (const tag of ["1", "10"]) await push(fixtures.busybox, "crane/tags", tag);
        await crane("tag", image("crane/tags", "1"), "1-alpine");
        const tags = lines(await crane("ls", `${registry.host}/crane/tags`));
        assertSameMembers(tags, ["1", "10", "1-alpine"]);
      },
      catalog: async () => {
        const listed = lines(await crane("catalog", registry.host));
        const found = listed.filter((name) => name.startsWith("seed/"));
        assertSameMembers(found, Object.values(seeds));
      },
      index: () => pushAndPull(fixtures.index, "crane/index"),
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "crane/twelve-layers"),
      "zstd layer": () => pushAndPull(fixtures.zstd, "crane/zstd"),
      "schema 2": async () => {
        await crane("push", fixtures.schema2.archive, image("crane/schema2"));
        const digests = await registry.verify("crane/schema2", "v1");
        assert.ok(digests.has(fixtures.schema2.imageId), "the configuration did not arrive");
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "crane/big"),
      login: () =>
        checkLogin(lab, "crane", {
          login: (host, name, key) => crane("auth", "login", "--username", name, "--password", key, host),
          push: (reference) => crane("push", fixtures.busybox.layout, reference),
          pull: (reference) => crane("pull", "--format", "oci", reference, join(dir, "closed")),
        }),
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          await crane("copy", `${proxy.host}/${seeds.index}:v1`, `${proxy.host}/crane/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("crane/mounted", "v1", fixtures.index.digest);
        }),
      delete: async () => {
        await push(fixtures.busybox, "crane/deleted");
        await crane("delete", image("crane/deleted", fixtures.busybox.digest));
        assert.equal(await registry.digest("crane/deleted", "v1"), undefined);
        assert.equal(await registry.digest("crane/deleted", fixtures.busybox.digest), undefined);
      },
    },
  };
}
