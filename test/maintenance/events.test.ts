import { beforeEach, describe, expect, it, vi } from "vitest";
import { runAdoptStep } from "../../src/maintenance/adopt.ts";
import { type BatchReport, consumeBucketEvents } from "../../src/maintenance/events/consume.ts";
import { lastForeignWrite } from "../../src/maintenance/events/foreign-mark.ts";
import { everyFault } from "../doubles/faults.ts";
import { counted } from "../doubles/rounds.ts";
import { MessageDouble, messagesOf, notificationOf } from "../support/bucket-events.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});

interface World extends TestRegistry {
  readonly skerry: Client;
  readonly distribution: Distribution;
  /** What was written since the last call, as the messages that a bucket sends of it. */
  news(): MessageDouble[];
  consume(messages: readonly MessageDouble[], immutable?: boolean): Promise<BatchReport>;
}

/** A registry that was adopted, and another one beside it. */
async function createWorld(): Promise<World> {
  const world = createTestRegistry();
  const skerry = world.client();
  const { store } = skerry.registry;
  await runAdoptStep(store, 1000);
  let seen = world.gate.trace.length;
  return {
    ...world,
    skerry,
    distribution: new Distribution(world.r2.actor("distribution")),
    client: world.client,
    news() {
      const messages = messagesOf(world.gate.trace.slice(seen));
      seen = world.gate.trace.length;
      return messages;
    },
    consume: (messages, immutable = false) =>
      consumeBucketEvents(store, messages, { operations: 10_000, isImmutable: () => immutable }),
  };
}

async function digestOfTag({ skerry }: World, tag: string): Promise<string | null> {
  const answer = await skerry.ask(`HEAD /v2/app/manifests/${tag}`);
  return answer.status === 404 ? null : answer.headers.get("Docker-Content-Digest");
}

/** Adopts what was written, and what that writes, until nothing more comes of it. */
async function settle(world: World): Promise<void> {
  for (let messages = world.news(); messages.length > 0; messages = world.news()) {
    await world.consume(messages);
  }
}

describe("events of what distribution writes", () => {
  it.each([
    ["in their order", (messages: MessageDouble[]) => messages],
    ["in the reverse order", (messages: MessageDouble[]) => messages.toReversed()],
    [
      "twice",
      (messages: MessageDouble[]) =>
        messages.flatMap(({ body }) => [new MessageDouble(body), new MessageDouble(body)]),
    ],
  ])("make an image resolvable, listed and complete: %s", async (_order, arrange) => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const subject = await distribution.image("app", ["1"], "a");
    const referrer = {
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.byteLength },
    };
    await distribution.image("app", ["signature"], "s", referrer);
    const messages = arrange(world.news());
    const report = await world.consume(messages);
    expect(messages.map(({ outcome }) => outcome)).toEqual(messages.map(() => "acknowledged"));
    expect(report.notes).toEqual([]);
    expect(await digestOfTag(world, "1")).toBe(subject.digest);
    expect(await (await skerry.ask("GET /v2/app/tags/list")).json()).toEqual({
      name: "app",
      tags: ["1", "signature"],
    });
    expect(await (await skerry.ask("GET /v2/_catalog")).json()).toEqual({ repositories: ["app"] });
    const referrers = (await (await skerry.ask(`GET /v2/app/referrers/${subject.digest}`)).json()) as {
      manifests: unknown[];
    };
    expect(referrers.manifests).toHaveLength(1);
    expect(await lastForeignWrite(skerry.registry.store)).toBe(world.clock.now());
    const owners = await world.r2
      .actor("observer")
      .list({ prefix: skerry.registry.store.layout.allOwners() });
    expect(owners.objects).toHaveLength(6);

    const before = world.gate.trace.length;
    await world.consume(messages.map(({ body }) => new MessageDouble(body)));
    const again = world.gate.trace.slice(before).map(({ kind }) => kind);
    expect(again.filter((kind) => kind !== "head" && kind !== "get")).toEqual([]);
  });

  it("put a layer link again that was swept before the manifest was there", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const image = await distribution.image("app", ["1"], "a");
    const messages = world.news().filter(({ body }) => !JSON.stringify(body).includes("_layers"));
    const { layout } = skerry.registry.store;
    const observer = world.r2.actor("observer");
    const links = await observer.list({ prefix: `${layout.repositories()}app/_layers/` });
    await observer.delete(links.objects.map(({ key }) => key));
    await world.consume(messages);
    await expectStatus(skerry.ask(`GET /v2/app/manifests/${image.digest}`), 200);
    const { layers } = JSON.parse(new TextDecoder().decode(image.bytes));
    await expectStatus(skerry.ask(`GET /v2/app/blobs/${layers[0].digest}`), 200);
  });

  it("tell of tags that it moves, and of which of several moves was the last", async () => {
    const world = await createWorld();
    const { distribution } = world;
    const [a, b] = [await distribution.image("app", ["1"], "a"), await distribution.image("app", [], "b")];
    await settle(world);
    world.clock.advance(1000);
    await distribution.tag("app", "1", b.digest);
    world.clock.advance(1000);
    await distribution.tag("app", "1", a.digest);
    world.clock.advance(1000);
    const messages = world.news();
    for (const message of messages.toReversed()) await world.consume([message]);
    expect(await digestOfTag(world, "1")).toBe(a.digest);
    await settle(world);
    expect(await digestOfTag(world, "1")).toBe(a.digest);
  });

  it("tell of tags and manifests that it removes, a tag alone once ten minutes are over", async () => {
    const world = await createWorld();
    const { distribution } = world;
    const a = await distribution.image("app", ["1", "2"], "a");
    await settle(world);
    await distribution.untag("app", "1");
    const removal = world.news();
    const report = await world.consume(removal);
    expect(report.again).toBe(1);
    expect(removal.map(({ outcome }) => outcome)).toContainEqual({ after: 600 });
    expect(await digestOfTag(world, "1")).toBe(a.digest);
    world.clock.advance(600_000);
    await world.consume(removal);
    expect(await digestOfTag(world, "1")).toBeNull();
    expect(await digestOfTag(world, "2")).toBe(a.digest);
    await distribution.remove("app", a.digest, "2");
    await world.consume(world.news());
    expect(await digestOfTag(world, "2")).toBeNull();
  });

  it("take a manifest that it removes off its subject's list", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const subject = await pushImage(skerry, "app", "1", "a");
    const referrer = { subject: { mediaType: subject.mediaType, digest: subject.digest, size: 1 } };
    const signature = await distribution.image("app", [], "s", referrer);
    await settle(world);
    const listed = async () => await (await skerry.ask(`GET /v2/app/referrers/${subject.digest}`)).text();
    expect(await listed()).toContain(signature.digest);
    await distribution.remove("app", signature.digest);
    await settle(world);
    expect(await listed()).not.toContain(signature.digest);
  });
});

describe("events beside what Skerry writes", () => {
  it("of its own writes cost a read each at most, and change nothing", async () => {
    const world = await createWorld();
    await pushImage(world.skerry, "app", "1", "a");
    await expectStatus(world.skerry.ask("DELETE /v2/app/manifests/1"), 202);
    const messages = world.news();
    const { A, operations, result } = await counted(world.gate, () => world.consume(messages));
    expect(A).toBe(0);
    expect(operations.length).toBe(messages.length);
    expect(result).toEqual({
      messages: messages.length,
      adopted: 0,
      kept: messages.length,
      again: 0,
      notes: [],
    });
    expect(await lastForeignWrite(world.skerry.registry.store)).toBeUndefined();
  });

  it("come too late for a tag that was set or removed since", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    await distribution.image("app", ["1", "2"], "a");
    const late = world.news();
    world.clock.advance(1000);
    const b = await pushImage(skerry, "app", "1", "b");
    await expectStatus(skerry.ask("DELETE /v2/app/manifests/2"), 202);
    await world.consume(late);
    await settle(world);
    expect(await digestOfTag(world, "1")).toBe(b.digest);
    expect(await digestOfTag(world, "2")).toBeNull();
  });

  it("move a tag to what distribution set later, and keep in its history what Skerry had set", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const a = await pushImage(skerry, "app", "1", "a");
    world.clock.advance(1000);
    const b = await distribution.image("app", ["1"], "b");
    await settle(world);
    expect(await digestOfTag(world, "1")).toBe(b.digest);
    const history = await (await skerry.ask("GET /v2/app/_skerry/tags/1/history")).json();
    expect(history).toMatchObject({ history: [{ digest: b.digest }, { digest: a.digest }] });
    const answer = await expectStatus(skerry.ask("GET /v2/app/manifests/1"), 200);
    expect(answer.headers.get("Docker-Content-Digest")).toBe(b.digest);
  });

  it("take back a link that distribution wrote after a later tag of Skerry's", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const { layout } = skerry.registry.store;
    const b = await distribution.image("app", [], "b");
    const observer = world.r2.actor("observer");
    const entry = layout.tagIndexLink("app" as never, "1" as never, b.digest);
    await observer.put(entry, b.digest);
    world.clock.advance(1000);
    const a = await pushImage(skerry, "app", "1", "a");
    await distribution.currentLink("app", "1", b.digest);
    await settle(world);
    expect(await digestOfTag(world, "1")).toBe(a.digest);
    expect(await (await observer.get(layout.currentLink("app" as never, "1" as never)))?.text()).toBe(
      a.digest,
    );
  });

  it("keep an immutable tag, and give it back to distribution", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    const a = await pushImage(skerry, "app", "1", "a");
    world.clock.advance(1000);
    await distribution.image("app", ["1"], "b");
    await world.consume(world.news(), true);
    expect(await digestOfTag(world, "1")).toBe(a.digest);
    const link = skerry.registry.store.layout.currentLink("app" as never, "1" as never);
    expect(await (await world.r2.actor("observer").get(link))?.text()).toBe(a.digest);
  });

  it("remove a tag whose manifest was deleted after distribution had moved the tag to it", async () => {
    const world = await createWorld();
    const { skerry, distribution } = world;
    await pushImage(skerry, "app", "1", "a");
    world.clock.advance(1000);
    const b = await distribution.image("app", ["1"], "b");
    world.clock.advance(1000);
    await expectStatus(skerry.ask(`DELETE /v2/app/manifests/${b.digest}`), 202);
    await settle(world);
    expect(await digestOfTag(world, "1")).toBeNull();
  });
});

describe("messages", () => {
  it("that are none of a bucket's, and keys of other things, are acknowledged", async () => {
    const world = await createWorld();
    const bodies = [undefined, "text", { action: "PutObject" }, { object: { key: "a" } }];
    const others = [
      "skerry/gc/guard",
      "elsewhere/link",
      "docker/registry/v2/repositories/app/_uploads/1/data",
    ];
    const messages = [
      ...bodies.map((body) => new MessageDouble(body)),
      ...others.map((key) => new MessageDouble(notificationOf("PutObject", key, new Date(0)))),
    ];
    const before = world.gate.trace.length;
    const report = await world.consume(messages);
    expect(messages.every(({ outcome }) => outcome === "acknowledged")).toBe(true);
    expect(report.notes).toHaveLength(bodies.length);
    expect(world.gate.trace.length).toBe(before);
  });

  it("for which the operations do not suffice come again", async () => {
    const world = await createWorld();
    const { store } = world.skerry.registry;
    await world.distribution.image("app", ["1"], "a");
    const messages = world.news();
    const options = { operations: 12, isImmutable: () => false };
    const report = await consumeBucketEvents(store, messages, options);
    expect(report.again).toBeGreaterThan(0);
    expect(messages.every(({ outcome }) => outcome !== undefined)).toBe(true);
    await world.consume(messages);
    expect(await digestOfTag(world, "1")).not.toBeNull();
  });

  it("come again after a failure of R2 at any operation, and then do their work", async () => {
    const options = { operations: 1000, isImmutable: () => false };
    const runs = await everyFault({
      prepare: async () => {
        const made = createTestRegistry();
        await new Distribution(made.r2.actor("distribution")).image("app", ["1"], "a");
        return { ...made, messages: messagesOf(made.gate.trace) };
      },
      flow: async (made) => {
        await consumeBucketEvents(made.client("consumer").registry.store, made.messages, options);
      },
      check: async ({ world: made }) => {
        const client = made.client("after");
        const again = made.messages.filter(({ outcome }) => outcome !== "acknowledged");
        await consumeBucketEvents(client.registry.store, again, options);
        await expectStatus(client.ask("GET /v2/app/manifests/1"), 200);
        const listed = await client.ask("GET /v2/_catalog");
        expect(await listed.json()).toEqual({ repositories: ["app"] });
        expect(await lastForeignWrite(client.registry.store)).toBeDefined();
      },
    });
    expect(runs).toBeGreaterThan(20);
  });
});
