import { join } from "node:path";
import { expect, it } from "vitest";
import { copyImage } from "../../scripts/push/copy.ts";
import { parseImageReference } from "../../scripts/push/registry/reference.ts";
import { assertResumed, withProxy } from "../clients/harness/checks.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { useRegistry } from "../wire/registry.ts";
import { attach } from "./attach.ts";
import { writeIndexLayout } from "./images.ts";
import { useWorld } from "./world.ts";

const world = useWorld();
const other = useRegistry();

interface CopyOptions {
  readonly platform?: string;
  readonly referrers?: boolean;
}

/** Copies `name:1` of the registry at `host` to the world's registry, under the same name. */
async function copy(host: string, { platform, referrers = false }: CopyOptions = {}, to = world().name) {
  const { name, proxy, repository, memory, display } = world();
  const reference = parseImageReference(`${host}/${name}:1`);
  const target = parseImageReference(`127.0.0.1:${proxy.port}/${to}:1`);
  return copyImage(
    { repository: repository(name, { host }), reference, platform, referrers },
    {
      target: repository(to),
      reference: target,
      mountFrom: [],
      parallel: 3,
      chunkSize: 100_000,
      memory: await memory(),
      display,
    },
  );
}

/** Pushes the index of two platforms to the other registry. */
async function seedOther(): Promise<{ readonly host: string; readonly digest: string }> {
  const { dir, seed, name, push } = world();
  const host = `127.0.0.1:${other().port}`;
  const digest = await writeIndexLayout(join(dir, "layout"), seed);
  await push(join(dir, "layout"), `${name}:1`, { host });
  return { host, digest };
}

it("copies an index byte for byte, and goes on by Range where a download breaks off", async () => {
  const { host, digest } = await seedOther();
  const { probe, name } = world();
  await withProxy(host, { cutBlobAt: 150_000 }, async (source) => {
    const { root } = await copy(source.host);
    expect(root.digest).toBe(digest);
    assertResumed(source);
    const received = source.exchanges.reduce((total, exchange) => total + exchange.received, 0);
    expect(received).toBeLessThan(400_000);
  });
  expect((await probe.verify(name, "1", digest)).size).toBe(7);
});

it("reads no blob that the target has, nor one that it can mount", async () => {
  const { host } = await seedOther();
  const { name, proxy, asked } = world();
  await copy(host);
  await withProxy(host, {}, async (source) => {
    await copy(source.host);
    expect(source.exchanges.filter(({ path }) => path.includes("/blobs/"))).toEqual([]);
  });
  proxy.forget();
  await copy(`127.0.0.1:${proxy.port}`, {}, `${name}-copy`);
  expect(asked().filter((each) => /^(PATCH|GET .*\/blobs\/)/.test(each))).toEqual([]);
  expect(asked().filter((each) => each.includes(`from=${encodeURIComponent(name)}`))).toHaveLength(4);
});

it("copies one platform of an index", async () => {
  const { host } = await seedOther();
  const { probe, name } = world();
  const { root } = await copy(host, { platform: "linux/arm64" });
  expect((await probe.verify(name, "1", root.digest)).size).toBe(3);
});

it.each([
  ["to a registry that lists them", true],
  ["to a registry that does not, with the tag that lists them instead", false],
])("copies referrers, and theirs, %s", async (_, lists) => {
  const { host, digest } = await seedOther();
  const { probe, proxy, name, repository } = world();
  const source = repository(name, { host });
  const note = await attach(source, digest, `note ${name}`);
  const noteOnNote = await attach(source, note, `on the note ${name}`);
  if (!lists) {
    proxy.fault = ({ request, outgoing, pass }) =>
      request.path.includes("/referrers/") ? void outgoing.writeHead(404).end() : pass();
  }
  expect((await copy(host, { referrers: true })).referrers).toBe(2);
  for (const [subject, referrer] of [
    [digest, note],
    [note, noteOnNote],
  ] as const) {
    if (lists) {
      expect((await probe.referrers(name, subject)).map((each) => each.digest)).toEqual([referrer]);
    } else {
      const tagged = await repository(name).manifest(subject.replace(":", "-"));
      expect(JSON.parse(tagged?.bytes.toString() ?? "").manifests).toMatchObject([{ digest: referrer }]);
    }
    await probe.verify(name, referrer, referrer);
  }
});

it("says what is not there", async () => {
  const host = `127.0.0.1:${other().port}`;
  await expect(copy(host)).rejects.toThrow(`${host}/${world().name} has no 1`);
  expect(await new RegistryProbe(host).digest(world().name, "1")).toBeUndefined();
});
