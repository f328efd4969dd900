import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mebibyte } from "./fixtures/images.ts";
import { assertMounted, assertResumed, assertSameMembers, lines, withProxy } from "./harness/checks.ts";
import { type Client, type Lab, Skip } from "./harness/client.ts";
import { startDockerd } from "./harness/dockerd.ts";
import { checkMirror } from "./harness/mirror.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";
import { checkReadme, checkWorkflow, openShell } from "./reader.ts";
import { checkSkerryPush } from "./skerry-push.ts";

/** The first release of dockerd that unpacks zstd layers. */
const firstWithZstd = 23;

export async function openDocker(lab: Lab): Promise<Client> {
  const { registry, fixtures, dir } = lab;
  const docker = await startDockerd(lab);
  const shell = await openShell(lab);
  const version = (await docker("version", "--format", "{{.Server.Version}}")).trim();
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);
  const loaded = "fixture/busybox:v1";
  await docker("load", "--input", fixtures.schema2.archive);

  const imageId = async (name: string) => (await docker("inspect", "--format", "{{.Id}}", name)).trim();

  /** docker compresses the layers anew, so what must be the same is the configuration with its diff IDs. */
  async function push(source: string, repository: string, tag = "v1"): Promise<void> {
    const id = await imageId(source);
    await docker("tag", source, image(repository, tag));
    await docker("push", image(repository, tag));
    const digests = await registry.verify(repository, tag);
    assert.ok(digests.has(id), `the configuration ${id} did not arrive`);
  }

  async function pull(repository: string, fixture: { readonly digest: string; readonly imageId: string }) {
    await docker("pull", image(repository));
    assert.equal(await imageId(image(repository)), fixture.imageId);
    assert.equal(await imageId(image(repository, fixture.digest)), fixture.imageId);
  }

  return {
    version,
    checks: {
      push: async () => {
        await push(loaded, "docker/busybox");
        await docker("tag", loaded, "busybox");
        await checkReadme(lab, shell);
      },
      pull: () => pull(seeds.busybox, fixtures.busybox),
      run: async () => {
        const said = await docker("run", "--rm", "--network", "none", image(seeds.busybox), "echo", "hello");
        assert.equal(said, "hello\n");
      },
      build: async () => {
        const context = join(dir, "context");
        await mkdir(context);
        const dockerfile = `FROM ${image(seeds.index)}\nRUN echo built > /built\nCMD ["cat", "/built"]\n`;
        await writeFile(join(context, "Dockerfile"), dockerfile);
        await docker("build", "--network", "none", "--tag", "local/built:v1", context);
        await push("local/built:v1", "docker/built");
        await docker("rmi", image("docker/built"), "local/built:v1");
        assert.equal(await docker("run", "--rm", "--network", "none", image("docker/built")), "built\n");
      },
      inspect: async () => {
        const command = ["manifest", "inspect", "--insecure", image(seeds.schema2)];
        const answer = JSON.parse(await docker(...command));
        assert.equal(answer.config.digest, fixtures.schema2.imageId);
      },
      "list tags": async () => {
        for (const tag of ["1", "10", "1-alpine"]) await push(loaded, "docker/tags", tag);
        await docker("rmi", image("docker/tags", "1"), image("docker/tags", "10"));
        await docker("pull", "--all-tags", `${registry.host}/docker/tags`);
        const images = await docker("images", "--format", "{{.Tag}}", `${registry.host}/docker/tags`);
        assertSameMembers(lines(images), ["1", "10", "1-alpine"]);
      },
      index: async () => {
        await pull(seeds.index, fixtures.index);
        await push(loaded, "docker/index", "amd64");
        const command = ["--insecure", image("docker/index"), image("docker/index", "amd64")];
        await docker("manifest", "create", ...command);
        await docker("manifest", "push", "--insecure", image("docker/index"));
        const digests = await registry.verify("docker/index", "v1");
        assert.ok(digests.has(fixtures.schema2.imageId), "the image did not arrive");
      },
      "12 layers": async () => {
        await pull(seeds.twelveLayers, fixtures.twelveLayers);
        await push(image(seeds.twelveLayers), "docker/twelve-layers");
      },
      "zstd layer": async () => {
        if (Number.parseInt(version, 10) < firstWithZstd)
          throw new Skip(`docker ${version} cannot unpack zstd`);
        await pull(seeds.zstd, fixtures.zstd);
      },
      "schema 2": () => pull(seeds.schema2, fixtures.schema2),
      "100 MiB layer": async () => {
        await pull(seeds.big, fixtures.big);
        await push(image(seeds.big), "docker/big");
      },
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          // docker mounts what it has pulled from the registry, and pulls only what it does not have.
          await docker("image", "rm", "--force", fixtures.busybox.imageId);
          await docker("pull", `${proxy.host}/${seeds.busybox}:v1`);
          await docker("tag", `${proxy.host}/${seeds.busybox}:v1`, `${proxy.host}/docker/mounted:v1`);
          await docker("push", `${proxy.host}/docker/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("docker/mounted", "v1");
        }),
      login: async () => {
        await docker("pull", image(seeds.busybox));
        await checkLogin(lab, "docker", {
          login: (host, name, key) => docker("login", "--username", name, "--password", key, host),
          push: async (reference) => {
            await docker("tag", image(seeds.busybox), reference);
            await docker("push", reference);
          },
          pull: (reference) => docker("pull", reference),
        });
        await checkWorkflow(lab, shell);
      },
      "skerry push": async () => {
        await docker("pull", image(seeds.big));
        // Debian's own client, whatever another one stands before it in the PATH.
        const env = {
          PATH: `/usr/bin:${process.env.PATH}`,
          DOCKER_HOST: `unix://${join(dir, "docker.sock")}`,
        };
        await checkSkerryPush(lab, `docker:${image(seeds.big)}`, fixtures.big.imageId, env);
      },
      mirror: () =>
        checkMirror(lab, "docker", "imageId", async () => ({
          pull: async (reference) => {
            await docker("pull", reference);
            return imageId(reference);
          },
          remove: async (reference) => docker("image", "rm", "--force", await imageId(reference)),
        })),
      "resumed pull": () =>
        withProxy(registry.host, { cutBlobAt: 30 * mebibyte }, async (proxy) => {
          await docker("image", "rm", "--force", fixtures.big.imageId);
          await docker("pull", `${proxy.host}/${seeds.big}:v1`);
          assertResumed(proxy);
          assert.equal(await imageId(`${proxy.host}/${seeds.big}:v1`), fixtures.big.imageId);
        }),
    },
  };
}
