import { describe, expect, it } from "vitest";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import type { Operation } from "../doubles/operation.ts";
import { r2Error } from "../doubles/r2-error.ts";
import { expectStatus, pushImage, putManifest, type TestManifest } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { tagMany, tagsOf } from "./many-tags.ts";

interface Place {
  readonly world: TestRegistry;
  readonly client: Client;
  readonly image: TestManifest;
}

/** An image with so many tags, in a registry whose requests may use 100 operations: about twenty tags each. */
async function tagged(count: number): Promise<Place> {
  const world = createTestRegistry({ config: { operationsPerRequest: 100 } });
  const client = world.client();
  const image = await pushImage(client, "app", undefined, "a");
  await tagMany(client, "app", image, count, "t");
  return { world, client, image };
}

function askDelete({ client, image }: Place): Promise<Response> {
  return client.ask(`DELETE /v2/app/manifests/${image.digest}`);
}

async function detailOf(answer: Response) {
  const { errors } = await answer.json<{ errors: { detail: { tags?: string[]; left?: number } }[] }>();
  return errors[0]?.detail ?? {};
}

async function deleteUntilDone(place: Place): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.at(-1) !== 202) {
    if (statuses.length > 50) throw new Error(`it does not end: ${statuses}`);
    statuses.push((await askDelete(place)).status);
  }
  return statuses;
}

/** Whatever the registers say is what distribution and KV say. */
function expectNoProjections({ world }: Place): void {
  expect([...world.r2.store.objects()].filter(({ key }) => key.endsWith("/current/link"))).toEqual([]);
  expect([...world.kv.store.entries().keys()]).toEqual([]);
}

const swapOf =
  (tag: string) =>
  ({ kind, keys }: Operation) =>
    kind === "put" && keys.some((key) => key.endsWith(`/_skerry/tags/${tag}`));

describe("a DELETE by digest that R2 fails", () => {
  it("at one tag removes the others, names that one, and is finished by a repetition", async () => {
    const place = await tagged(5);
    place.world.gate.policy = faults([{ matching: swapOf("t00002"), when: "before" }]);
    const answer = await askDelete(place);
    expect(answer.status).toBe(500);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect(await detailOf(answer)).toEqual({ tags: ["t00002"] });
    place.world.gate.policy = immediate;
    expect(await tagsOf(place.client, "app")).toEqual(["t00002"]);
    expect((await place.client.ask("GET /v2/app/manifests/t00002")).status).not.toBe(500);
    expect((await askDelete(place)).status).toBe(202);
    expect(await tagsOf(place.client, "app")).toEqual([]);
    expect((await askDelete(place)).status).toBe(404);
  });

  it("with its answer lost counts the tag as failed, and takes its projections away later", async () => {
    const place = await tagged(5);
    place.world.gate.policy = faults([{ matching: swapOf("t00002"), when: "after" }]);
    expect(await detailOf(await askDelete(place))).toEqual({ tags: ["t00002"] });
    place.world.gate.policy = immediate;
    expect((await askDelete(place)).status).toBe(202);
    expectNoProjections(place);
  });

  it("at the projections of many tags is finished by a repetition, which says so", async () => {
    const place = await tagged(5);
    const isDelete = ({ store, kind }: Operation) => store === "R2" && kind === "delete";
    place.world.gate.policy = faults([{ matching: isDelete, when: "before", times: 1 }]);
    expect((await askDelete(place)).status).toBe(500);
    expect(await tagsOf(place.client, "app")).toEqual([]);
    expect((await askDelete(place)).status).toBe(202);
    expectNoProjections(place);
  });

  it("at its referrer entry is finished by a repetition, which says so", async () => {
    const place = await tagged(0);
    const { client, world } = place;
    const { digest, mediaType, bytes } = place.image;
    const subject = { digest, mediaType, size: bytes.byteLength };
    const body = JSON.parse(new TextDecoder().decode(bytes)) as object;
    const referrer = {
      ...place.image,
      bytes: new Uint8Array(new TextEncoder().encode(JSON.stringify({ ...body, subject }))),
    };
    const pushed = await expectStatus(putManifest(client, "app", "sig", referrer), 201);
    const request = `DELETE /v2/app/manifests/${pushed.headers.get("Docker-Content-Digest")}`;
    const isEntry = ({ keys }: Operation) => keys.some((key) => key.includes("/_skerry/referrers/"));
    world.gate.policy = faults([{ matching: isEntry, when: "before", times: 1 }]);
    expect((await client.ask(request)).status).toBe(500);
    expect((await client.ask(request)).status).toBe(202);
    const list = await client.ask(`GET /v2/app/referrers/${digest}`);
    expect((await list.json<{ manifests: unknown[] }>()).manifests).toEqual([]);
  });

  it("at any operation is finished by repetitions, and leaves nothing of the tags", async () => {
    const isR2 = ({ store }: Operation) => store === "R2";
    const undisturbed = await tagged(30);
    const before = undisturbed.world.gate.trace.length;
    await deleteUntilDone(undisturbed);
    const operations = undisturbed.world.gate.trace.length - before;
    for (let at = 0; at < operations; at += 5) {
      for (const when of ["before", "after"] as const) {
        const place = await tagged(30);
        place.world.gate.policy = faults([{ at, when, matching: isR2 }]);
        const statuses: number[] = [];
        // 404: a request that died before it could note that work was left.
        while (![202, 404].includes(statuses.at(-1) ?? 0)) statuses.push((await askDelete(place)).status);
        expect(statuses.length).toBeLessThan(8);
        expect(await tagsOf(place.client, "app")).toEqual([]);
        expectNoProjections(place);
      }
    }
  });
});

describe("a DELETE by digest of more tags than its operations suffice for", () => {
  it("is not held up by a damaged register, which the answer names once", async () => {
    const place = await tagged(60);
    const key = "docker/registry/v2/repositories/app/_skerry/tags/t00001";
    await place.world.r2.actor("vandal").put(key, "{");
    const answer = await askDelete(place);
    expect(answer.status).toBe(500);
    expect((await detailOf(answer)).tags).toEqual(["t00001"]);
    await deleteUntilDone(place);
    expect(await tagsOf(place.client, "app")).toEqual([]);
  });

  it("removes a tag of which only the metadata can be read", async () => {
    const place = await tagged(1);
    const bucket = place.world.r2.actor("vandal");
    const key = "docker/registry/v2/repositories/app/_skerry/tags/t00000";
    const { customMetadata = {} } = (await bucket.head(key)) ?? {};
    await bucket.put(key, "{", { customMetadata });
    expect((await askDelete(place)).status).toBe(202);
    expect((await place.client.ask("HEAD /v2/app/manifests/t00000")).status).toBe(404);
  });

  it("never notes its progress on the tombstone of a later life", async () => {
    const place = await tagged(60);
    const { world, image } = place;
    // When the first request is about to note how far it came, the manifest lives again, with a tag among those
    // that are done, is deleted again, and that delete dies at once.
    const other = world.client("other");
    let writes = 0;
    world.gate.policy = async ({ operation: { kind, keys, actor } }) => {
      if (actor !== "client" || kind !== "put" || !keys.some((key) => key.includes("/revisions/"))) return;
      writes += 1;
      if (writes !== 2) return;
      const { policy } = world.gate;
      await expectStatus(putManifest(other, "app", "t00000", image), 201);
      world.gate.policy = faults([{ matching: (operation) => operation.kind === "list", when: "before" }]);
      await expectStatus(other.ask(`DELETE /v2/app/manifests/${image.digest}`), 500);
      world.gate.policy = policy;
    };
    expect((await askDelete(place)).status).toBe(503);
    world.gate.policy = immediate;
    await deleteUntilDone(place);
    expect(await tagsOf(place.client, "app")).toEqual([]);
  });
});

describe("R2's one write a second for each key", () => {
  const busy = (operation: Operation) => r2Error(operation.kind as "put", 10058);

  it("is waited for, with waits that differ from try to try", async () => {
    const place = await tagged(1);
    const { world } = place;
    const begin = world.clock.now();
    world.gate.policy = faults([{ matching: swapOf("t00000"), when: "before", times: 3, error: busy }]);
    expect((await askDelete(place)).status).toBe(202);
    const waited = world.clock.now() - begin;
    expect(waited).toBeGreaterThanOrEqual(0.5 * (300 + 600 + 900));
    expect(waited).toBeLessThanOrEqual(1.5 * (300 + 600 + 900));
    expect(waited % 100).not.toBe(0);
  });

  it("is a 503 with Retry-After and the number left when it does not end, and a repetition finishes", async () => {
    const place = await tagged(3);
    place.world.gate.policy = faults([{ matching: swapOf("t00001"), when: "before", error: busy }]);
    const answer = await askDelete(place);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("1");
    expect(await detailOf(answer)).toEqual({ left: 1 });
    place.world.gate.policy = immediate;
    expect((await askDelete(place)).status).toBe(202);
    expect(await tagsOf(place.client, "app")).toEqual([]);
  });
});
