import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, assertSameMembers, layoutDigest, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { checkMirror, writeDocumented } from "./harness/mirror.ts";
import { sha256 } from "./harness/registry.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";

const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];

export async function openSkopeo(lab: Lab): Promise<Client> {
  const { processes, registry, fixtures, dir } = lab;
  const remote = (repository: string, tag: string) => `docker://${registry.reference(repository, tag)}`;
  const copy = (from: string, to: string) =>
    processes.run(["skopeo", "copy", "--all", ...insecure, from, to]);

  async function push(fixture: Fixture, repository: string, tag = "v1"): Promise<void> {
    await copy(`oci:${fixture.layout}:v1`, remote(repository, tag));
    await registry.verify(repository, tag, fixture.digest);
  }

  async function pull(fixture: Fixture, repository: string): Promise<void> {
    const layout = join(dir, repository.replace("/", "-"));
    await copy(remote(repository, "v1"), `oci:${layout}:v1`);
    assert.equal(await layoutDigest(layout), fixture.digest);
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(fixture, repository);
    await pull(fixture, repository);
  }

  return {
    version: (await processes.run(["skopeo", "--version"])).trim().split(" ").at(-1) ?? "",
    checks: {
      push: () => push(fixtures.busybox, "skopeo/busybox"),
      pull: () => pull(fixtures.busybox, seeds.busybox),
      inspect: async () => {
        const image = remote(seeds.index, "v1");
        const answer = JSON.parse(await processes.run(["skopeo", "inspect", "--tls-verify=false", image]));
        assert.equal(answer.Digest, fixtures.index.digest);
        assert.equal(answer.Architecture, "amd64");
        assert.deepEqual(answer.RepoTags, ["v1"]);
      },
      "list tags": async () => {
        for (const tag of ["1", "10", "1-alpine"]) await push(fixtures.busybox, "skopeo/tags", tag);
        const image = `docker://${registry.host}/skopeo/tags`;
        const answer = JSON.parse(await processes.run(["skopeo", "list-tags", "--tls-verify=false", image]));
        assertSameMembers(answer.Tags, ["1", "10", "1-alpine"]);
      },
      index: () => pushAndPull(fixtures.index, "skopeo/index"),
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "skopeo/twelve-layers"),
      "zstd layer": () => pushAndPull(fixtures.zstd, "skopeo/zstd"),
      "schema 2": async () => {
        await copy(`dir:${fixtures.schema2.dir}`, remote("skopeo/schema2", "v1"));
        await registry.verify("skopeo/schema2", "v1", fixtures.schema2.digest);
        await copy(remote("skopeo/schema2", "v1"), `dir:${dir}/schema2`);
        assert.equal(sha256(await readFile(join(dir, "schema2", "manifest.json"))), fixtures.schema2.digest);
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "skopeo/big"),
      login: () => {
        const authFile = `--authfile=${join(dir, "auth.json")}`;
        const skopeo = (...args: readonly string[]) => processes.run(["skopeo", ...args]);
        return checkLogin(lab, "skopeo", {
          login: (host, name, key) =>
            skopeo("login", authFile, "--tls-verify=false", "--username", name, "--password", key, host),
          push: (reference) =>
            skopeo(
              "copy",
              authFile,
              ...insecure,
              `oci:${fixtures.busybox.layout}:v1`,
              `docker://${reference}`,
            ),
          pull: (reference) =>
            skopeo("copy", authFile, ...insecure, `docker://${reference}`, `oci:${join(dir, "closed")}:v1`),
        });
      },
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          const source = `docker://${proxy.host}/${seeds.busybox}:v1`;
          // skopeo mounts what it knows to be in the registry because it has read it there.
          await copy(source, `oci:${join(dir, "read")}:v1`);
          await copy(source, `docker://${proxy.host}/skopeo/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("skopeo/mounted", "v1", fixtures.busybox.digest);
        }),
      mirror: () =>
        checkMirror(lab, "skopeo", "digest", async (mirror) => {
          // Over plain HTTP the mirror has to be called insecure.
          const registries = await writeDocumented(mirror, "containers", dir, "insecure = true\n");
          const layout = join(dir, "mirror-layout");
          return {
            pull: async (reference) => {
              const from = `docker://${reference}`;
              await processes.run([
                "skopeo",
                `--registries-conf=${registries}`,
                "copy",
                from,
                `oci:${layout}:v1`,
              ]);
              return (await layoutDigest(layout)) ?? "";
            },
            remove: () => rm(layout, { recursive: true }),
          };
        }),
      delete: async () => {
        await push(fixtures.busybox, "skopeo/deleted");
        await processes.run(["skopeo", "delete", "--tls-verify=false", remote("skopeo/deleted", "v1")]);
        assert.equal(await registry.digest("skopeo/deleted", "v1"), undefined);
        assert.equal(await registry.digest("skopeo/deleted", fixtures.busybox.digest), undefined);
      },
    },
  };
}
