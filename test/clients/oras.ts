import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, assertSameMembers, layoutDigest, lines, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";

const plain = "--plain-http";
const type = "application/vnd.example.sbom";

export async function openOras(lab: Lab, program: string): Promise<Client> {
  const { processes, registry, fixtures, dir } = lab;
  const oras = (...args: readonly string[]) => processes.run([program, ...args], { timeout: 120, cwd: dir });
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);

  async function push(fixture: Fixture, repository: string, tag = "v1"): Promise<void> {
    const source = ["--from-oci-layout", `${fixture.layout}:v1`];
    await oras("copy", ...source, "--to-plain-http", image(repository, tag));
    await registry.verify(repository, tag, fixture.digest);
  }

  async function pull(fixture: Fixture, repository: string): Promise<void> {
    const layout = join(dir, repository.replace("/", "-"));
    await oras("copy", "--from-plain-http", image(repository), "--to-oci-layout", `${layout}:v1`);
    assert.equal(await layoutDigest(layout), fixture.digest);
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(fixture, repository);
    await pull(fixture, repository);
  }

  return {
    checks: {
      push: () => push(fixtures.busybox, "oras/busybox"),
      pull: () => pull(fixtures.busybox, seeds.busybox),
      inspect: async () => {
        const answer = await oras("manifest", "fetch", "--descriptor", plain, image(seeds.index));
        assert.equal(JSON.parse(answer).digest, fixtures.index.digest);
        const config = JSON.parse(await oras("manifest", "fetch-config", plain, image(seeds.busybox)));
        assert.equal(config.architecture, "amd64");
      },
      "list tags": async () => {
        await push(fixtures.busybox, "oras/tags", "1");
        await oras("tag", plain, image("oras/tags", "1"), "10", "1-alpine");
        const tags = lines(await oras("repo", "tags", plain, `${registry.host}/oras/tags`));
        assertSameMembers(tags, ["1", "10", "1-alpine"]);
      },
      catalog: async () => {
        const listed = lines(await oras("repo", "list", plain, `${registry.host}/seed`));
        assertSameMembers(
          listed,
          Object.values(seeds).map((name) => name.replace("seed/", "")),
        );
      },
      index: () => pushAndPull(fixtures.index, "oras/index"),
      login: () => {
        const config = join(dir, "credentials.json");
        const source = ["--from-oci-layout", `${fixtures.busybox.layout}:v1`];
        return checkLogin(lab, "oras", {
          login: (host, name, key) =>
            oras("login", plain, "--registry-config", config, "--username", name, "--password", key, host),
          push: (reference) =>
            oras("copy", ...source, "--to-plain-http", "--to-registry-config", config, reference),
          pull: (reference) => oras("manifest", "fetch", plain, "--registry-config", config, reference),
        });
      },
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "oras/twelve-layers"),
      "zstd layer": () => pushAndPull(fixtures.zstd, "oras/zstd"),
      "schema 2": async () => {
        const [source, target] = [image(seeds.schema2), image("oras/schema2")];
        await oras("copy", "--from-plain-http", source, "--to-plain-http", target);
        await registry.verify("oras/schema2", "v1", fixtures.schema2.digest);
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "oras/big"),
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          const source = ["--from-plain-http", `${proxy.host}/${seeds.index}:v1`];
          await oras("copy", ...source, "--to-plain-http", `${proxy.host}/oras/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("oras/mounted", "v1", fixtures.index.digest);
        }),
      referrers: async () => {
        await push(fixtures.index, "oras/subject");
        await writeFile(join(dir, "sbom.txt"), "a bill of materials");
        await oras("attach", plain, "--artifact-type", type, image("oras/subject"), "sbom.txt:text/plain");
        const command = [
          "discover",
          plain,
          "--format",
          "json",
          "--artifact-type",
          type,
          image("oras/subject"),
        ];
        const found = JSON.parse(await oras(...command)).referrers[0];
        const [referrer] = await registry.referrers("oras/subject", fixtures.index.digest);
        assert.equal(found.digest, referrer?.digest);
        assert.equal(found.artifactType, type);
        const output = join(dir, "attached");
        await oras("pull", plain, "--output", output, image("oras/subject", found.digest));
        assert.equal(await readFile(join(output, "sbom.txt"), "utf8"), "a bill of materials");
      },
      delete: async () => {
        await push(fixtures.busybox, "oras/deleted");
        await oras("manifest", "delete", "--force", plain, image("oras/deleted"));
        assert.equal(await registry.digest("oras/deleted", "v1"), undefined);
        await oras("blob", "delete", "--force", plain, image("oras/deleted", fixtures.busybox.imageId));
        const fetched = oras(
          "blob",
          "fetch",
          "--output",
          "-",
          plain,
          image("oras/deleted", fixtures.busybox.imageId),
        );
        await assert.rejects(fetched, /not found/);
      },
    },
  };
}
