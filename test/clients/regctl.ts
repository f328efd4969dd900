import assert from "node:assert/strict";
import { join } from "node:path";
import type { Fixture } from "./fixtures/images.ts";
import { assertMounted, assertSameMembers, layoutDigest, lines, withProxy } from "./harness/checks.ts";
import type { Client, Lab } from "./harness/client.ts";
import { seeds } from "./harness/seed.ts";
import { checkLogin } from "./login.ts";
import { checkBodyLimit } from "./regctl-body-limit.ts";

export async function openRegctl(lab: Lab, program: string): Promise<Client> {
  const { registry, fixtures, dir } = lab;
  const regctl = regctlIn(lab, program, "regctl.json");
  const image = (repository: string, tag = "v1") => registry.reference(repository, tag);
  await regctl(["registry", "set", "--tls", "disabled", registry.host]);

  const copy = (from: string, to: string) => regctl(["image", "copy", from, to]);

  async function push(fixture: Fixture, repository: string, tag = "v1"): Promise<void> {
    await copy(`ocidir://${fixture.layout}:v1`, image(repository, tag));
    await registry.verify(repository, tag, fixture.digest);
  }

  async function pull(fixture: Fixture, repository: string): Promise<void> {
    const layout = join(dir, repository.replace("/", "-"));
    await copy(image(repository), `ocidir://${layout}:v1`);
    assert.equal(await layoutDigest(layout), fixture.digest);
  }

  async function pushAndPull(fixture: Fixture, repository: string): Promise<void> {
    await push(fixture, repository);
    await pull(fixture, repository);
  }

  return {
    checks: {
      push: () => push(fixtures.busybox, "regctl/busybox"),
      pull: () => pull(fixtures.busybox, seeds.busybox),
      inspect: async () => {
        const head = await regctl(["manifest", "head", image(seeds.index)]);
        assert.equal(head.trim(), fixtures.index.digest);
        const config = JSON.parse(await regctl(["image", "inspect", image(seeds.busybox)]));
        assert.equal(config.architecture, "amd64");
      },
      "list tags": async () => {
        for (const tag of ["1", "10", "1-alpine"]) await push(fixtures.busybox, "regctl/tags", tag);
        const tags = await regctl(["tag", "list", `${registry.host}/regctl/tags`]);
        assertSameMembers(lines(tags), ["1", "10", "1-alpine"]);
      },
      login: async () => {
        if (lab.closed !== undefined) {
          await regctl(["registry", "set", "--skip-check", "--tls", "disabled", lab.closed.host]);
        }
        await checkLogin(lab, "regctl", {
          login: (host, name, key) =>
            regctl(["registry", "login", "--user", name, "--pass-stdin", host], key),
          push: (reference) => copy(`ocidir://${fixtures.busybox.layout}:v1`, reference),
          pull: (reference) => copy(reference, `ocidir://${join(dir, "closed")}:v1`),
        });
      },
      catalog: async () => {
        const listed = lines(await regctl(["repo", "list", registry.host]));
        const found = listed.filter((name) => name.startsWith("seed/"));
        assertSameMembers(found, Object.values(seeds));
      },
      index: () => pushAndPull(fixtures.index, "regctl/index"),
      "12 layers": () => pushAndPull(fixtures.twelveLayers, "regctl/twelve-layers"),
      "zstd layer": () => pushAndPull(fixtures.zstd, "regctl/zstd"),
      "schema 2": async () => {
        await copy(image(seeds.schema2), image("regctl/schema2"));
        await registry.verify("regctl/schema2", "v1", fixtures.schema2.digest);
      },
      "100 MiB layer": () => pushAndPull(fixtures.big, "regctl/big"),
      mount: () =>
        withProxy(registry.host, {}, async (proxy) => {
          await regctl(["registry", "set", "--tls", "disabled", proxy.host]);
          await copy(`${proxy.host}/${seeds.index}:v1`, `${proxy.host}/regctl/mounted:v1`);
          assertMounted(proxy);
          await registry.verify("regctl/mounted", "v1", fixtures.index.digest);
        }),
      "body limit": () => checkBodyLimit(lab, program),
      referrers: async () => {
        await push(fixtures.index, "regctl/subject");
        const put = ["artifact", "put", "--artifact-type", "application/vnd.example.sbom", "--subject"];
        await regctl([...put, image("regctl/subject")], "a bill of materials");
        const format = "{{range .Descriptors}}{{.Digest}} {{.ArtifactType}}{{end}}";
        const listed = await regctl(["artifact", "list", "--format", format, image("regctl/subject")]);
        const [referrer] = await registry.referrers("regctl/subject", fixtures.index.digest);
        assert.equal(listed.trim(), `${referrer?.digest} application/vnd.example.sbom`);
        const content = await regctl(["artifact", "get", "--subject", image("regctl/subject")]);
        assert.equal(content, "a bill of materials");
      },
      delete: async () => {
        await push(fixtures.busybox, "regctl/deleted", "kept");
        await push(fixtures.busybox, "regctl/deleted", "v1");
        await regctl(["tag", "delete", image("regctl/deleted")]);
        assert.deepEqual(await registry.tags("regctl/deleted"), ["kept"]);
        await regctl(["manifest", "delete", image("regctl/deleted", fixtures.busybox.digest)]);
        assert.equal(await registry.digest("regctl/deleted", "kept"), undefined);
      },
    },
  };
}

export type Regctl = (args: readonly string[], input?: string) => Promise<string>;

/** regctl with its configuration in a file of this run instead of the user's. */
export function regctlIn({ processes, dir }: Lab, program: string, configuration: string): Regctl {
  const env = { REGCTL_CONFIG: join(dir, configuration) };
  return (args, input = "") => processes.run([program, ...args], { timeout: 120, env, input });
}
