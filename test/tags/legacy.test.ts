import { describe, expect, it } from "vitest";
import { fewestAdoptOperations, runAdoptStep } from "../../src/maintenance/adopt.ts";
import { counted } from "../doubles/rounds.ts";
import { expectStatus, putManifest } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { createTestRegistry } from "../support/registry.ts";
import { tagsOf } from "./many-tags.ts";

const root = "docker/registry/v2/repositories/app/_manifests/";

/** What distribution left: image A with tags a, a-slim and 1, B with b, and the folder of a tag that has no link. */
async function legacy() {
  const world = createTestRegistry();
  const distribution = new Distribution(world.r2.actor("distribution"));
  const a = await distribution.image("app", ["a", "a-slim", "1"], "A");
  const b = await distribution.image("app", ["b"], "B");
  const vandal = world.r2.actor("vandal");
  await vandal.put(`${root}tags/half/index/sha256/${a.digest.slice(7)}/link`, a.digest);
  return { world, client: world.client(), vandal, a, b };
}

describe("a tag that distribution left", () => {
  it("is pulled, byte for byte, and its HEAD tells the same", async () => {
    const { client, a } = await legacy();
    for (const tag of ["a", "a-slim", "1"]) {
      const answer = await client.ask(`GET /v2/app/manifests/${tag}`);
      expect(answer.status).toBe(200);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(a.bytes);
      const head = await client.ask(`HEAD /v2/app/manifests/${tag}`);
      for (const answered of [answer, head]) {
        expect(answered.headers.get("Docker-Content-Digest")).toBe(a.digest);
        expect(answered.headers.get("Content-Type")).toBe(a.mediaType);
        expect(answered.headers.get("Content-Length")).toBe(String(a.bytes.byteLength));
      }
    }
    expect((await client.ask("GET /v2/app/manifests/half")).status).toBe(404);
  });

  it("is listed in ASCII order, page by page, if it has a link", async () => {
    const { client } = await legacy();
    expect(await tagsOf(client, "app")).toEqual(["1", "a", "a-slim", "b"]);
    const seen: string[] = [];
    let next: string | undefined = "/v2/app/tags/list?n=3";
    while (next !== undefined) {
      const page = await expectStatus(client.ask(`GET ${next}`), 200);
      seen.push(...(await page.json<{ tags: string[] }>()).tags);
      next = /<([^>]+)>/.exec(page.headers.get("Link") ?? "")?.[1];
    }
    expect(seen).toEqual(["1", "a", "a-slim", "b"]);
    expect((await client.ask("GET /v2/other/tags/list")).status).toBe(404);
    expect((await client.ask("GET /v2/other/tags/list?last=a")).status).toBe(404);
  });

  it("goes with its manifest, and only with that", async () => {
    const { client, world, a, b } = await legacy();
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    expect(await tagsOf(client, "app")).toEqual(["b"]);
    for (const tag of ["a", "a-slim", "1"]) {
      expect((await client.ask(`GET /v2/app/manifests/${tag}`)).status).toBe(404);
    }
    expect((await client.ask(`GET /v2/app/manifests/b`)).headers.get("Docker-Content-Digest")).toBe(b.digest);
    expect((await client.ask(`DELETE /v2/app/manifests/${a.digest}`)).status).toBe(404);
    const links = [...world.r2.store.objects(`${root}tags/`)].filter(({ key }) =>
      key.endsWith("current/link"),
    );
    expect(links.map(({ key }) => key)).toEqual([`${root}tags/b/current/link`]);
  });

  it("keeps its history and can be restored once its manifest is there again", async () => {
    const { client, a } = await legacy();
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    await expectStatus(putManifest(client, "app", a.digest, a), 201);
    await expectStatus(client.ask("POST /v2/app/_skerry/tags/a/restore"), 200);
    expect((await client.ask("HEAD /v2/app/manifests/a")).headers.get("Docker-Content-Digest")).toBe(
      a.digest,
    );
  });

  it("is not in the way of others when its link is unreadable, or a stray file lies among the tags (M5)", async () => {
    const { client, vandal, a } = await legacy();
    await vandal.put(`${root}tags/bad/current/link`, `${a.digest}\n`);
    await vandal.put(`${root}tags/stray`, "x");
    await vandal.put(`${root}tags/-no-tag/current/link`, a.digest);
    expect((await client.ask("GET /v2/app/manifests/bad")).status).toBe(404);
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    expect(await tagsOf(client, "app")).toEqual(["b", "bad"]);
  });

  it("that was set by Skerry since is Skerry's", async () => {
    const { client, a, b } = await legacy();
    await expectStatus(putManifest(client, "app", "a", b), 201);
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    expect((await client.ask("HEAD /v2/app/manifests/a")).headers.get("Docker-Content-Digest")).toBe(
      b.digest,
    );
    expect((await client.ask("HEAD /v2/app/manifests/1")).status).toBe(404);
  });

  it("that a writer moves while its manifest is deleted stays with the writer", async () => {
    const { client, world, a, b } = await legacy();
    const register = "docker/registry/v2/repositories/app/_skerry/tags/a";
    const writer = world.client("writer");
    let moved = false;
    world.gate.policy = async ({ operation: { actor, kind, keys } }) => {
      if (moved || actor !== "client" || kind !== "put" || !keys.includes(register)) return undefined;
      moved = true;
      await expectStatus(putManifest(writer, "app", "a", b), 201);
      return undefined;
    };
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    expect(moved).toBe(true);
    expect((await client.ask("HEAD /v2/app/manifests/a")).headers.get("Docker-Content-Digest")).toBe(
      b.digest,
    );
    const link = await world.r2.actor("reader").get(`${root}tags/a/current/link`);
    expect(await link?.text()).toBe(b.digest);
  });
});

describe("a repository that distribution left", () => {
  it("of more tags than one request may read is deleted from in several", async () => {
    const world = createTestRegistry({ config: { operationsPerRequest: 300 } });
    const distribution = new Distribution(world.r2.actor("distribution"));
    const tags = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, index) => prefix + String(index).padStart(5, "0"));
    const a = await distribution.image("app", [...tags("a", 150), ...tags("c", 150)], "A");
    await distribution.image("app", tags("b", 1200), "B");
    const client = world.client();
    const left: number[] = [];
    for (;;) {
      const cost = await counted(world.gate, () => client.ask(`DELETE /v2/app/manifests/${a.digest}`));
      expect(cost.operations.length).toBeLessThanOrEqual(300);
      expect(cost.maxInFlight).toBeLessThanOrEqual(6);
      if (cost.result.status === 202) break;
      expect(cost.result.status).toBe(503);
      const { errors } = await cost.result.json<{ errors: { detail: { left: number } }[] }>();
      left.push(errors[0]?.detail.left ?? 0);
    }
    expect(left.length).toBeGreaterThan(4);
    expect(left).toEqual(left.toSorted((x, y) => y - x));
    const remaining = await tagsOf(client, "app");
    expect(remaining).toHaveLength(1200);
    expect(remaining.every((tag) => tag.startsWith("b"))).toBe(true);
  });

  it("is deleted from at the usual cost once it is adopted", async () => {
    const { client, world, a } = await legacy();
    await runAdoptStep(client.registry.store, 10_000);
    expect(await tagsOf(client, "app")).toEqual(["1", "a", "a-slim", "b"]);
    const cost = await counted(world.gate, () => client.ask(`DELETE /v2/app/manifests/${a.digest}`));
    expect(cost.result.status).toBe(202);
    // One read more: whether all is adopted, since the manifest has no generation.
    expect({ A: cost.A, B: cost.B }).toEqual({ A: 2 + 3, B: 2 + 2 * 3 + 1 });
    expect(await tagsOf(client, "app")).toEqual(["b"]);
  });

  it("is looked through as long as its adoption has not ended, though the manifest is adopted", async () => {
    const { client, a } = await legacy();
    for (;;) {
      const { counts } = await runAdoptStep(client.registry.store, fewestAdoptOperations);
      if (counts.manifests < 2) continue;
      expect(counts.tags).toBe(0);
      break;
    }
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    await runAdoptStep(client.registry.store, 10_000);
    expect(await tagsOf(client, "app")).toEqual(["b"]);
    // Not even when the manifest is there again.
    await expectStatus(putManifest(client, "app", a.digest, a), 201);
    expect((await client.ask("HEAD /v2/app/manifests/a")).status).toBe(404);
  });
});
