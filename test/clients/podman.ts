import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, assertSameMembers, lines, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { checkMirror, writeDocumented } from "./harness/mirror.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";
import { checkPartialPull } from "./podman-partial.ts";
import { checkSkerryPush } from "./skerry-push.ts";

const insecure = "--tls-verify=false";
/** Limits that a process without CAP_SYS_RESOURCE may set: podman's own are higher. */
const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];

export async function openPodman(lab: Lab): Promise<Client> {
  const { registry, fixtures, dir } = lab;
  const podman = podmanIn(lab, join(dir, "storage"));
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);

  /** podman compresses the layers anew, so what must be the same is the configuration with its diff IDs. */
  async function push(id: string, repository: string, tag = "v1"): Promise<void> {
    await podman("push", insecure, id, `docker://${image(repository, tag)}`);
    const digests = await registry.verify(repository, tag);
    assert.ok(digests.has(`sha256:${id}`), `the configuration ${id} did not arrive`);
  }

  const load = async (layout: string) => lines(await podman("pull", "--quiet", `oci:${layout}:v1`))[0] ?? "";

  async function pull(repository: string, fixture: Pick<Fixture, "digest" | "imageId">): Promise<void> {
    await podman("pull", insecure, image(repository));
    const format = "sha256:{{.Id}} {{.RepoDigests}}";
    const [id, ...digests] = (await podman("image", "inspect", "--format", format, image(repository))).split(
      " ",
    );
    assert.equal(id, fixture.imageId);
    assert.ok(digests.join(" ").includes(`${repository}@${fixture.digest}`), "pulled another digest");
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(await load(fixture.layout), repository);
    const digest = (await registry.digest(repository, "v1")) ?? "";
    await pull(repository, { digest, imageId: fixture.imageId });
  }

  return {
    version: (await podman("--version")).trim().split(" ").at(-1) ?? "",
    checks: {
      push: async () => push(await load(fixtures.busybox.layout), "podman/busybox"),
      pull: () => pull(seeds.busybox, fixtures.busybox),
      run: async () => {
        const command = [
          "run",
          "--rm",
          "--network",
          "none",
          ...limits,
          image(seeds.busybox),
          "echo",
          "hello",
        ];
        assert.equal(await podman(...command), "hello\n");
      },
      build: async () => {
        const context = join(dir, "context");
        await mkdir(context);
        await writeFile(join(context, "message"), "built\n");
        await writeFile(
          join(context, "Containerfile"),
          `FROM ${image(seeds.busybox)}\nCOPY message /message\n`,
        );
        const built = await podman("build", "--quiet", insecure, context);
        await push(built.trim(), "podman/built");
      },
      inspect: async () => {
        const answer = JSON.parse(await podman("manifest", "inspect", image(seeds.index)));
        assert.equal(answer.manifests[0].digest, fixtures.busybox.digest);
      },
      "list tags": async () => {
        const id = await load(fixtures.busybox.layout);
        for (const tag of ["1", "10", "1-alpine"]) await push(id, "podman/tags", tag);
        const listed = await podman("search", "--list-tags", insecure, `${registry.host}/podman/tags`);
        const [, ...rows] = lines(listed);
        const tags = rows.map((row) => row.trim().split(/\s+/)[1] ?? "");
        assertSameMembers(tags, ["1", "10", "1-alpine"]);
      },
      catalog: async () => {
        const found = await podman("search", "--format", "{{.Name}}", insecure, `${registry.host}/seed/`);
        assertSameMembers(
          lines(found),
          Object.values(seeds).map((name) => `${registry.host}/${name}`),
        );
      },
      index: async () => {
        await pull(seeds.index, fixtures.index);
        await podman("manifest", "create", "local/list");
        await podman("manifest", "add", "--all", insecure, "local/list", `docker://${image(seeds.index)}`);
        await podman(
          "manifest",
          "push",
          "--all",
          insecure,
          "local/list",
          `docker://${image("podman/index")}`,
        );
        const digests = await registry.verify("podman/index", "v1");
        assert.ok(digests.has(fixtures.busybox.digest), "the amd64 image did not arrive");
      },
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "podman/twelve-layers"),
      "zstd layer": () => pull(seeds.zstd, fixtures.zstd),
      "schema 2": async () => {
        await pull(seeds.schema2, fixtures.schema2);
        await podman("push", insecure, "--format", "v2s2", image(seeds.schema2), image("podman/schema2"));
        const digests = await registry.verify("podman/schema2", "v1");
        assert.ok(digests.has(fixtures.schema2.imageId), "the configuration did not arrive");
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "podman/big"),
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          // podman mounts what it has pulled from the registry, and pulls only what it does not have.
          await podman("rmi", "--all", "--force");
          await podman("pull", insecure, `${proxy.host}/${seeds.busybox}:v1`);
          await podman(
            "push",
            insecure,
            `${proxy.host}/${seeds.busybox}:v1`,
            `${proxy.host}/podman/mounted:v1`,
          );
          assertMounted(proxy);
          await registry.verify("podman/mounted", "v1");
        }),
      login: async () => {
        const id = await load(fixtures.busybox.layout);
        const authFile = join(dir, "auth.json");
        await writeFile(authFile, "{}");
        const options = [insecure, `--authfile=${authFile}`];
        await checkLogin(lab, "podman", {
          login: (host, name, key) =>
            podman("login", ...options, "--username", name, "--password", key, host),
          push: (reference) => podman("push", ...options, id, `docker://${reference}`),
          pull: (reference) => podman("pull", ...options, reference),
        });
      },
      mirror: () =>
        checkMirror(lab, "podman", "imageId", async (mirror) => {
          // Over plain HTTP the mirror has to be called insecure.
          const registries = await writeDocumented(mirror, "containers", dir, "insecure = true\n");
          const mirrored = podmanIn(lab, join(dir, "storage"), { registries });
          return {
            pull: async (reference) => `sha256:${lines(await mirrored("pull", "--quiet", reference))[0]}`,
            remove: (reference) => podman("rmi", "--force", reference),
          };
        }),
      "partial pull": () => checkPartialPull(lab),
      "skerry push": async () => {
        const storage = join(dir, "storage");
        const id = await load(fixtures.big.layout);
        const bin = join(dir, "bin");
        await mkdir(bin);
        const script = `#!/bin/sh\nexec /usr/bin/${podmanCommand(storage).join(" ")} "$@"\n`;
        await writeFile(join(bin, "podman"), script, { mode: 0o755 });
        const env = { PATH: `${bin}:${process.env.PATH}` };
        // Compressed, the registry may have the layers from another engine, and mounts them.
        await checkSkerryPush(lab, `podman:${id}`, fixtures.big.imageId, env, ["--uncompressed"]);
      },
    },
  };
}

export type Podman = (...args: readonly string[]) => Promise<string>;

/** Configuration that podman is given instead of its defaults. */
export interface PodmanFiles {
  /** A storage configuration, which names the places itself. */
  readonly storage?: string;
  /** A configuration of registries; else the one under test is known as insecure. */
  readonly registries?: string;
}

/**
 * podman with its storage below `storage`, which nothing else uses. Each command has namespaces of its own, so no
 * mount and no container outlives it.
 */
export function podmanIn({ processes, registry }: Lab, storage: string, files: PodmanFiles = {}): Podman {
  const command = podmanCommand(storage, files.storage);
  const configuration = join(storage, "registries.conf");
  const env = {
    CONTAINERS_REGISTRIES_CONF: files.registries ?? configuration,
    ...(files.storage === undefined ? {} : { CONTAINERS_STORAGE_CONF: files.storage }),
  };
  return async (...args) => {
    await mkdir(storage, { recursive: true });
    await writeFile(configuration, `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
    return await processes.run([...command, ...args], { isolated: true, timeout: 120, env });
  };
}

function podmanCommand(storage: string, storageConf?: string): readonly string[] {
  const places = [`--root=${join(storage, "root")}`, `--runroot=${join(storage, "run")}`];
  return [
    "podman",
    ...(storageConf === undefined ? [...places, "--storage-driver=overlay"] : []),
    `--tmpdir=${join(storage, "tmp")}`,
    "--cgroup-manager=cgroupfs",
    "--events-backend=file",
    "--runtime=runc",
  ];
}
