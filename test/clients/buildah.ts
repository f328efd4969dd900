import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, lines, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";

const insecure = "--tls-verify=false";

export async function openBuildah(lab: Lab): Promise<Client> {
  const { processes, registry, fixtures, dir } = lab;
  const storage = [
    `--root=${join(dir, "root")}`,
    `--runroot=${join(dir, "run")}`,
    "--storage-driver=overlay",
  ];
  const env = { BUILDAH_ISOLATION: "chroot" };
  const buildah = (...args: readonly string[]) =>
    processes.run(["buildah", ...storage, ...args], { isolated: true, timeout: 120, env });
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);
  const load = async (layout: string) => lines(await buildah("pull", "--quiet", `oci:${layout}:v1`))[0] ?? "";

  async function push(id: string, repository: string): Promise<void> {
    await buildah("push", insecure, id, `docker://${image(repository)}`);
    const digests = await registry.verify(repository, "v1");
    assert.ok(digests.has(`sha256:${id}`), `the configuration ${id} did not arrive`);
  }

  async function pull(repository: string, fixture: Pick<Fixture, "imageId">): Promise<void> {
    const [id] = lines(await buildah("pull", "--quiet", insecure, image(repository)));
    assert.equal(`sha256:${id}`, fixture.imageId);
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(await load(fixture.layout), repository);
    await buildah("rmi", "--all", "--force");
    await pull(repository, fixture);
  }

  const container = async (reference: string) => (await buildah("from", insecure, reference)).trim();

  return {
    version: (await buildah("--version")).split(" ")[2] ?? "",
    checks: {
      push: async () => push(await load(fixtures.busybox.layout), "buildah/busybox"),
      pull: () => pull(seeds.busybox, fixtures.busybox),
      run: async () => {
        const name = await container(image(seeds.busybox));
        assert.equal(await buildah("run", name, "--", "echo", "hello"), "hello\n");
      },
      build: async () => {
        const name = await container(image(seeds.index));
        await buildah("run", name, "--", "sh", "-c", "echo built > /built");
        await push((await buildah("commit", "--quiet", name)).trim(), "buildah/built");
        const built = await container(image("buildah/built"));
        assert.equal(await buildah("run", built, "--", "cat", "/built"), "built\n");
        await buildah("rm", "--all");
      },
      index: async () => {
        await pull(seeds.index, fixtures.index);
        await buildah("manifest", "create", "local/list");
        await buildah("manifest", "add", "--all", insecure, "local/list", `docker://${image(seeds.index)}`);
        const target = `docker://${image("buildah/index")}`;
        await buildah("manifest", "push", "--all", insecure, "local/list", target);
        const digests = await registry.verify("buildah/index", "v1");
        assert.ok(digests.has(fixtures.busybox.digest), "the amd64 image did not arrive");
      },
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "buildah/twelve-layers"),
      "zstd layer": () => pull(seeds.zstd, fixtures.zstd),
      "schema 2": async () => {
        await pull(seeds.schema2, fixtures.schema2);
        const target = `docker://${image("buildah/schema2")}`;
        await buildah("push", insecure, "--format", "v2s2", image(seeds.schema2), target);
        const digests = await registry.verify("buildah/schema2", "v1");
        assert.ok(digests.has(fixtures.schema2.imageId), "the configuration did not arrive");
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "buildah/big"),
      login: async () => {
        const id = await load(fixtures.busybox.layout);
        const authFile = join(dir, "auth.json");
        await writeFile(authFile, "{}");
        const options = [insecure, `--authfile=${authFile}`];
        await checkLogin(lab, "buildah", {
          login: (host, name, key) =>
            buildah("login", ...options, "--username", name, "--password", key, host),
          push: (reference) => buildah("push", ...options, id, `docker://${reference}`),
          pull: (reference) => buildah("pull", ...options, `docker://${reference}`),
        });
      },
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          // buildah mounts what it has pulled from the registry, and pulls only what it does not have.
          await buildah("rm", "--all");
          await buildah("rmi", "--all", "--force");
          await buildah("pull", insecure, `${proxy.host}/${seeds.busybox}:v1`);
          const target = `docker://${proxy.host}/buildah/mounted:v1`;
          await buildah("push", insecure, `${proxy.host}/${seeds.busybox}:v1`, target);
          assertMounted(proxy);
          await registry.verify("buildah/mounted", "v1");
        }),
    },
  };
}
