import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Fixture, mebibyte } from "./fixtures/images.ts";
import { assertMounted, assertResumed, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { checkMirror, writeDocumented } from "./harness/mirror.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";

export async function openContainerd(lab: Lab): Promise<Client> {
  const { processes, registry, fixtures, dir } = lab;
  const ctr = await startContainerd(lab);
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);
  const pullFrom = (reference: string) => ctr("images", "pull", "--plain-http", "--all-platforms", reference);
  const pushTo = (reference: string) => ctr("images", "push", "--plain-http", reference);

  async function digestOf(reference: string): Promise<string> {
    const [, row = ""] = (await ctr("images", "list", `name==${reference}`)).split("\n");
    return row.split(/\s+/)[2] ?? "";
  }

  async function assertDigest(reference: string, digest: string): Promise<void> {
    assert.equal(await digestOf(reference), digest);
  }

  async function push(fixture: Fixture, repository: string): Promise<void> {
    const archive = join(dir, "layout.tar");
    await processes.run(["tar", "--create", "--file", archive, "--directory", fixture.layout, "."]);
    const base = `${registry.host}/${repository}`;
    await ctr("images", "import", "--all-platforms", "--base-name", base, archive);
    await pushTo(image(repository));
    await registry.verify(repository, "v1", fixture.digest);
  }

  async function pull(repository: string, fixture: { readonly digest: string }): Promise<void> {
    await pullFrom(image(repository));
    await assertDigest(image(repository), fixture.digest);
  }

  return {
    version: (await ctr("--version")).trim().split(" ").at(-1) ?? "",
    checks: {
      push: () => push(fixtures.busybox, "ctr/busybox"),
      pull: () => pull(seeds.busybox, fixtures.busybox),
      run: async () => {
        const places = ["--fifo-dir", join(dir, "fifo"), "--runc-root", join(dir, "runc")];
        const runc = ["--runc-binary", "/usr/sbin/runc", ...places];
        const command = ["run", "--rm", ...runc, image(seeds.busybox), "check", "echo", "hello"];
        assert.equal(await ctr(...command), "hello\n");
      },
      index: async () => {
        await pull(seeds.index, fixtures.index);
        await push(fixtures.index, "ctr/index");
      },
      "12 layers": async () => {
        await pull(seeds.twelveLayers, fixtures.twelveLayers);
        await push(fixtures.twelveLayers, "ctr/twelve-layers");
      },
      "zstd layer": async () => {
        await pull(seeds.zstd, fixtures.zstd);
        await push(fixtures.zstd, "ctr/zstd");
      },
      "schema 2": async () => {
        await pull(seeds.schema2, fixtures.schema2);
        await ctr("images", "tag", image(seeds.schema2), image("ctr/schema2"));
        await pushTo(image("ctr/schema2"));
        await registry.verify("ctr/schema2", "v1", fixtures.schema2.digest);
      },
      "100 MiB layer": async () => {
        await pull(seeds.big, fixtures.big);
        await push(fixtures.big, "ctr/big");
      },
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          await pullFrom(`${proxy.host}/${seeds.busybox}:v1`);
          await ctr("images", "tag", `${proxy.host}/${seeds.busybox}:v1`, `${proxy.host}/ctr/mounted:v1`);
          await pushTo(`${proxy.host}/ctr/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("ctr/mounted", "v1", fixtures.busybox.digest);
        }),
      login: async () => {
        // containerd keeps no credentials: it is told them each time.
        let user: readonly string[] = [];
        await checkLogin(lab, "ctr", {
          login: async (_host, name, key) => {
            user = ["--user", `${name}:${key}`];
          },
          push: async (reference) => {
            await ctr("images", "tag", "--force", image(seeds.busybox), reference);
            await ctr("images", "push", "--plain-http", ...user, reference);
          },
          pull: (reference) => ctr("images", "pull", "--plain-http", ...user, reference),
        });
      },
      mirror: async () => {
        // The file for all registries first: the one for docker.io wins over it.
        for (const file of ["containerd", "containerdNamed"] as const) {
          await checkMirror(lab, file.toLowerCase(), "digest", async (mirror) => {
            const hosts = dirname(dirname(await writeDocumented(mirror, file, dir)));
            return {
              pull: async (reference) => {
                await ctr("images", "pull", "--hosts-dir", hosts, reference);
                return digestOf(reference);
              },
              remove: (reference) => ctr("images", "remove", "--sync", reference),
            };
          });
        }
      },
      "resumed pull": () =>
        withProxy(registry.host, { cutBlobAt: 30 * mebibyte }, async (proxy) => {
          await ctr("images", "remove", "--sync", image(seeds.big), image("ctr/big"));
          await pullFrom(`${proxy.host}/${seeds.big}:v1`);
          assertResumed(proxy);
          await assertDigest(`${proxy.host}/${seeds.big}:v1`, fixtures.big.digest);
        }),
    },
  };
}

type Ctr = (...args: readonly string[]) => Promise<string>;

/** Starts a containerd with its own root, state and socket, and answers containerd's client for it. */
async function startContainerd({ processes, dir, cleanup }: Lab): Promise<Ctr> {
  const socket = join(dir, "containerd.sock");
  const config = join(dir, "containerd.toml");
  const settings = [
    "version = 2",
    `root = "${join(dir, "root")}"`,
    `state = "${join(dir, "state")}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `grpc.address = "${socket}"`,
    `ttrpc.address = "${join(dir, "ttrpc.sock")}"`,
  ];
  await writeFile(config, settings.join("\n"));
  const daemon = await processes.start(["containerd", "--config", config], {
    isolated: true,
    ready: (output) => output.includes("containerd successfully booted"),
  });
  cleanup.add(() => daemon.stop());
  return (...args) => {
    const command = ["ctr", "--address", socket, "--namespace", "check", ...args];
    return processes.run(command, { timeout: 120 });
  };
}
