import { describe, expect, it } from "vitest";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import type { Operation } from "../doubles/operation.ts";
import { counted } from "../doubles/rounds.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  noise,
  pushBlob,
  pushImage,
  putManifest,
} from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

const second = 1000;
const minute = 60 * second;
const isolates = 8;

async function digestBy(client: Client, request: string): Promise<string | number> {
  const answer = await client.ask(request);
  return answer.status === 200 ? (answer.headers.get("Docker-Content-Digest") ?? "") : answer.status;
}

function kvWrites(operations: readonly Operation[]): readonly Operation[] {
  return operations.filter(({ store, kind }) => store === "KV" && kind !== "get");
}

/** 1,000 pulls of one tag at once, over several isolates, each with its own stale picture of KV. */
async function storm(world: TestRegistry, readers: readonly Client[], expected: string): Promise<number> {
  const before = world.gate.trace.length;
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      digestBy(readers[index % readers.length] as Client, "GET /v2/app/manifests/t"),
    ),
  );
  expect(new Set(answers)).toEqual(new Set([expected]));
  return kvWrites(world.gate.trace.slice(before)).length;
}

describe("a pull storm of 1,000 requests", () => {
  it("right after a tag moved writes nothing to KV, and after two minutes once in each isolate", async () => {
    // The writer's records are lost, so that every reader finds KV wrong.
    const world = createTestRegistry({
      kv: { readerCache: minute, delay: (write) => (write < 2 ? Number.POSITIVE_INFINITY : 0) },
    });
    const pusher = world.client("pusher");
    const readers = Array.from({ length: isolates }, (_, index) => world.client(`isolate ${index}`));
    await pushImage(pusher, "app", "t", "a");
    const { digest } = await pushImage(pusher, "app", "t", "b");
    expect(await storm(world, readers, digest)).toBe(0);
    world.clock.advance(2 * minute - second);
    expect(await storm(world, readers, digest)).toBe(0);
    world.clock.advance(second);
    expect(await storm(world, readers, digest)).toBe(isolates);
    // They have repaired it: KV agrees from now on.
    world.clock.advance(minute);
    expect(await storm(world, readers, digest)).toBe(0);
  });

  it("on a tag whose record KV refuses to take tries once a minute in each isolate", async () => {
    const world = createTestRegistry({ kv: { dailyWrites: 0 } });
    const { digest } = await pushImage(world.client("pusher"), "app", "t", "a");
    const readers = Array.from({ length: isolates }, (_, index) => world.client(`isolate ${index}`));
    world.clock.advance(3 * minute);
    expect(await storm(world, readers, digest)).toBe(isolates);
    world.clock.advance(minute - second);
    expect(await storm(world, readers, digest)).toBe(0);
    world.clock.advance(second);
    expect(await storm(world, readers, digest)).toBe(isolates);
  });

  it("in eventual mode, past the record's half life, writes once in each isolate", async () => {
    const world = createTestRegistry({ kv: { readerCache: minute }, config: { tagConsistency: "eventual" } });
    const { digest } = await pushImage(world.client("pusher"), "app", "t", "a");
    const readers = Array.from({ length: isolates }, (_, index) => world.client(`isolate ${index}`));
    expect(await storm(world, readers, digest)).toBe(0);
    world.clock.advance(31 * minute);
    expect(await storm(world, readers, digest)).toBeLessThanOrEqual(isolates);
  });
});

/** Keeps a record as it is now. @returns what writes it again. */
function keep({ kv }: TestRegistry, key: string): () => Promise<void> {
  const { bytes = "", metadata = "null" } = kv.store.current(key) ?? {};
  return () => kv.actor("vandal").put(key, bytes, { metadata: JSON.parse(metadata) });
}

describe("a record in KV", () => {
  it("that lies about everything but digest and life changes no answer in strong mode", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const image = await pushImage(client, "app", "t", "a");
    const entry = world.kv.store.current("strong:app:t");
    const metadata = JSON.parse(entry?.metadata ?? "{}");
    const vandal = world.kv.actor("vandal");
    for (const lie of [
      { value: "x".repeat(image.bytes.byteLength), metadata },
      { value: image.bytes, metadata: { ...metadata, mediaType: "text/plain" } },
      { value: image.bytes, metadata: { ...metadata, size: 1 } },
      { value: image.bytes, metadata: { ...metadata, digest: "sha256:abc" } },
      { value: image.bytes, metadata: {} },
      { value: image.bytes, metadata: undefined },
    ]) {
      await vandal.put(
        "strong:app:t",
        lie.value,
        lie.metadata === undefined ? {} : { metadata: lie.metadata },
      );
      const answer = await client.ask("GET /v2/app/manifests/t");
      expect(answer.status).toBe(200);
      expect(answer.headers.get("Content-Type")).toBe(image.mediaType);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(image.digest);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(image.bytes);
    }
  });

  it("of a deleted tag brings nothing back, and is deleted by a later reader", async () => {
    const world = createTestRegistry();
    const client = world.client();
    await pushImage(client, "app", "t", "a");
    const putBack = keep(world, "strong:app:t");
    await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
    await putBack();
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
    expect(world.kv.store.current("strong:app:t")).toBeDefined();
    world.clock.advance(2 * minute);
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
    expect(world.kv.store.current("strong:app:t")).toBeUndefined();
  });

  it("of an earlier life of its manifest is not believed", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const image = await pushImage(client, "app", "t", "a");
    const putBack = keep(world, "strong:app:t");
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
    await expectStatus(putManifest(client, "app", image.digest, image), 201);
    await putBack();
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
  });

  it("does not carry a manifest of more than 64 KiB, which is served all the same", async () => {
    const world = createTestRegistry();
    const client = world.client();
    const config = await blobOf("{}");
    await pushBlob(client, "app", config);
    const filler = Array.from(noise(70_000), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
    const image = await imageOf(config, [], { annotations: { filler } });
    await expectStatus(putManifest(client, "app", "t", image), 201);
    expect(world.kv.store.current("strong:app:t")?.bytes.byteLength).toBe(0);
    const answer = await client.ask("GET /v2/app/manifests/t");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(image.bytes);
  });
});

describe("KV that fails", () => {
  const isKv = ({ store }: Operation) => store === "KV";

  it.each(["before", "after"] as const)("at every operation (%s) fails no request", async (when) => {
    for (const tagConsistency of ["strong", "eventual"] as const) {
      const world = createTestRegistry({ config: { tagConsistency } });
      const client = world.client();
      world.gate.policy = faults([{ matching: isKv, when }]);
      const a = await pushImage(client, "app", "t", "a");
      expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(a.digest);
      const b = await pushImage(client, "app", "t", "b");
      expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(b.digest);
      await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
      await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
      expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
      world.gate.policy = immediate;
    }
  });

  it("takes no more writes today: pushes and deletes go on", async () => {
    const world = createTestRegistry({ kv: { dailyWrites: 1 } });
    const client = world.client();
    await pushImage(client, "app", "t", "a");
    const b = await pushImage(client, "app", "t", "b");
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(b.digest);
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${b.digest}`), 202);
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
  });
});

describe("KV_RECORDS=off", () => {
  it.each(["strong", "eventual"] as const)("asks KV for nothing (%s)", async (tagConsistency) => {
    const world = createTestRegistry({ config: { kvRecords: false, tagConsistency } });
    const client = world.client();
    const a = await pushImage(client, "app", "t", "a");
    const b = await pushImage(client, "app", "t", "b");
    const pull = await counted(world.gate, () => client.ask("GET /v2/app/manifests/t"));
    expect(pull.result.headers.get("Docker-Content-Digest")).toBe(b.digest);
    expect({ A: pull.A, B: pull.B, rounds: pull.rounds }).toEqual({ A: 0, B: 3, rounds: 2 });
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
    await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
    expect(await digestBy(client, "GET /v2/app/manifests/t")).toBe(404);
    expect(world.gate.trace.filter(({ store }) => store === "KV")).toEqual([]);
  });
});
