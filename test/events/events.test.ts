import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import { eventTypes } from "../../src/events/event.ts";
import type { Message } from "../../src/events/message.ts";
import { parseWebhooks } from "../../src/events/webhooks.ts";
import type { Platform } from "../../src/registry.ts";
import { blobOf, expectStatus, imageOf, pushBlob, pushImage, putManifest } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

const secret = `whsec_${btoa("a key of which nobody must know")}`;

function webhooks(...list: readonly object[]) {
  const usual = { name: "one", url: "https://hooks.example.com/secret-path", secret, events: eventTypes };
  return parseWebhooks(JSON.stringify(list.map((webhook) => ({ ...usual, ...webhook }))));
}

let messages: Message[];
let lines: string[];

beforeEach(() => {
  messages = [];
  lines = [];
});

afterEach(() => {
  vi.restoreAllMocks();
});

const queue = {
  sendBatch: async (batch: Iterable<MessageSendRequest<Message>>) => {
    // As a queue does it: what comes out is a copy.
    messages.push(...[...batch].map(({ body }) => JSON.parse(JSON.stringify(body)) as Message));
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  },
};

function createWorld(config: Partial<Config> = {}, platform: Partial<Platform> = {}) {
  const world = createTestRegistry({
    config: { webhooks: webhooks({}), ...config },
    platform: { queue, log: (line) => lines.push(line), ...platform },
  });
  return { ...world, client: world.client() };
}

/** The events that were queued since the last call, in short. */
function told(): readonly string[] {
  const events = messages.flatMap((message) => message.events);
  messages = [];
  return events.map(({ type, kind, repository, tag, previous }) =>
    [type, kind, tag === undefined ? repository : `${repository}:${tag}`, previous && "from another"]
      .filter((part) => part !== undefined)
      .join(" "),
  );
}

describe("events", () => {
  it("tell of pushes and of what tags name", async () => {
    const { client } = createWorld();
    const image = await pushImage(client, "app", "1", "a");
    expect(told().toSorted()).toEqual(["push manifest app:1", "tag.created tag app:1"]);
    await putManifest(client, "app", "1", image);
    expect(told()).toEqual(["push manifest app:1"]);
    await pushImage(client, "app", "1", "b");
    expect(told().toSorted()).toEqual(["push manifest app:1", "tag.moved tag app:1 from another"]);
    await putManifest(client, "app", image.digest, image);
    expect(told()).toEqual(["push manifest app"]);
    await putManifest(client, "app", `${image.digest}?tag=1&tag=2`, image);
    expect(told().toSorted()).toEqual([
      "push manifest app:1",
      "push manifest app:2",
      "tag.created tag app:2",
      "tag.moved tag app:1 from another",
    ]);
    await expectStatus(client.ask("POST /v2/app/_skerry/tags/1/restore"), 200);
    expect(told()).toEqual(["tag.moved tag app:1 from another"]);
  });

  it("tell of pulls by GET, and of nothing that nobody got", async () => {
    const { client } = createWorld();
    const { digest } = await pushImage(client, "app", "1", "a");
    told();
    await client.ask("GET /v2/app/manifests/1");
    await client.ask(`GET /v2/app/manifests/${digest}`);
    expect(told()).toEqual(["pull manifest app:1", "pull manifest app"]);
    await client.ask("HEAD /v2/app/manifests/1");
    await client.ask("GET /v2/app/manifests/1", { headers: { "If-None-Match": `"${digest}"` } });
    await client.ask("GET /v2/app/manifests/absent");
    await client.ask("GET /v2/app/tags/list");
    await client.ask("DELETE /v2/app/manifests/absent");
    expect(told()).toEqual([]);
  });

  it("tell of what is deleted, and of every tag that goes with a manifest", async () => {
    const { client } = createWorld();
    const image = await pushImage(client, "app", "1", "a");
    await putManifest(client, "app", `${image.digest}?tag=2&tag=3`, image);
    told();
    await client.ask("DELETE /v2/app/manifests/1");
    expect(messages.flatMap(({ events }) => events)).toMatchObject([{ digest: image.digest }]);
    expect(told()).toEqual(["tag.deleted tag app:1"]);
    await client.ask(`DELETE /v2/app/manifests/${image.digest}`);
    expect(told().toSorted()).toEqual([
      "delete manifest app",
      "tag.deleted tag app:2",
      "tag.deleted tag app:3",
    ]);
  });

  it("tell of tags that a delete removed before it ran out of operations", async () => {
    const { client } = createWorld({ operationsPerRequest: 100 });
    const image = await pushImage(client, "app", "1", "a");
    const tags = Array.from({ length: 49 }, (_, index) => `tag=t${index}`).join("&");
    await expectStatus(putManifest(client, "app", `${image.digest}?${tags}`, image), 201);
    told();
    const all = new Set<string>();
    let answers = 0;
    for (let status = 503; status === 503; answers++) {
      status = (await client.ask(`DELETE /v2/app/manifests/${image.digest}`)).status;
      for (const event of told()) all.add(event);
    }
    expect(answers).toBeGreaterThan(1);
    expect(all.size).toBe(51);
  });

  it("tell of blobs to those who ask for them, pushed, mounted, pulled and deleted", async () => {
    const { client } = createWorld({ webhooks: webhooks({ blobs: true }) });
    const blob = await blobOf("a layer");
    await pushBlob(client, "app", blob);
    expect(messages[0]?.events[0]).toMatchObject({ digest: blob.digest, size: 7 });
    await expectStatus(client.ask(`POST /v2/b/blobs/uploads/?mount=${blob.digest}&from=app`), 201);
    expect(messages[1]?.events[0]).toMatchObject({ from: "app" });
    await client.ask(`GET /v2/b/blobs/${blob.digest}`);
    await client.ask(`DELETE /v2/b/blobs/${blob.digest}`);
    expect(told()).toEqual(["push blob app", "mount blob b", "pull blob b", "delete blob b"]);
  });

  it("say who did it, from where, and where the registry is", async () => {
    const { client } = createWorld();
    const headers = { "CF-Ray": "ray", "CF-Connecting-IP": "192.0.2.1", "User-Agent": "crane" };
    await pushImage(client, "app", "1", "a");
    messages = [];
    await client.ask("GET /v2/app/manifests/1?query=secret", { headers });
    expect(messages[0]?.events[0]).toMatchObject({
      time: "2026-01-01T00:00:00.000Z",
      origin: "https://registry.example",
      request: { id: "ray", method: "GET", address: "192.0.2.1", agent: "crane" },
    });
    expect(JSON.stringify(messages)).not.toContain("secret");
  });
});

describe("a webhook", () => {
  it("is told of its events and repositories alone", async () => {
    const { client } = createWorld({
      webhooks: webhooks(
        { name: "pushes", events: ["push"] },
        { name: "team", repositories: ["team/*"], events: ["push"] },
        { name: "usual", events: undefined },
      ),
    });
    await pushImage(client, "app", "1", "a");
    await client.ask("GET /v2/app/manifests/1");
    const got = messages.map(({ webhook, events }) => `${webhook} ${events[0]?.type}`);
    expect(got.toSorted()).toEqual(["pushes push", "usual push", "usual tag.created"]);
    messages = [];
    await pushImage(client, "team/app", "1", "a");
    expect(messages.map(({ webhook }) => webhook)).toContain("team");
  });

  it("that takes batches gets twenty events at once, any other one", async () => {
    const { client } = createWorld({
      webhooks: webhooks(
        { name: "batch", format: "cloudevents-batch", events: ["push"] },
        { name: "each", events: ["push"] },
      ),
    });
    const image = await pushImage(client, "app", "1", "a");
    messages = [];
    const tags = Array.from({ length: 45 }, (_, index) => `tag=t${index}`).join("&");
    await putManifest(client, "app", `${image.digest}?${tags}`, image);
    const sizes = (name: string) =>
      messages.filter(({ webhook }) => webhook === name).map(({ events }) => events.length);
    expect(sizes("batch")).toEqual([20, 20, 5]);
    expect(sizes("each")).toEqual(Array.from({ length: 45 }, () => 1));
  });

  it("is told of a sample of pulls", async () => {
    const { client } = createWorld({ eventsPullSample: 0.25 });
    await pushImage(client, "app", "1", "a");
    told();
    const random = vi.spyOn(Math, "random");
    for (const value of [0, 0.24, 0.25, 0.9]) {
      random.mockReturnValue(value);
      await client.ask("GET /v2/app/manifests/1");
    }
    expect(told()).toHaveLength(2);
  });
});

describe("a request", () => {
  it("is answered before its events are queued, and whatever the queue does", async () => {
    let sends = 0;
    const { client } = createWorld(
      {},
      {
        queue: {
          sendBatch: () => {
            sends += 1;
            return new Promise(() => undefined);
          },
        },
      },
    );
    const image = await imageOf(await blobOf("{}"), []);
    await pushBlob(client, "app", await blobOf("{}"));
    const headers = { "Content-Type": image.mediaType };
    const answer = client.fetch("PUT /v2/app/manifests/1", { headers, body: image.bytes });
    expect((await answer).status).toBe(201);
    expect(sends).toBe(1);
  });

  it("does not fail with the queue, which is tried three times; then the loss is logged", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    let sends = 0;
    const { client } = createWorld(
      { log: "errors", webhooks: webhooks({ events: ["push"] }) },
      {
        queue: {
          sendBatch: async () => {
            sends += 1;
            throw new Error("no");
          },
        },
      },
    );
    await pushImage(client, "app", "1", "a");
    expect(sends).toBe(3);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: "webhook", webhook: "one", outcome: "failed", types: ["push"] },
    ]);
  });
});

describe("without a queue", () => {
  function createDirect(statuses: readonly number[]) {
    const sent: RequestInit[] = [];
    const world = createWorld(
      { log: "errors", webhooks: webhooks({ events: ["push"] }) },
      {
        queue: undefined,
        fetch: async (_, init) => {
          sent.push(init);
          return new Response(null, { status: statuses[sent.length - 1] ?? 500 });
        },
      },
    );
    return { ...world, sent };
  }

  it("events are delivered after the answer, three times at most, under one id", async () => {
    const { client, sent, clock } = createDirect([500, 503, 200]);
    const before = clock.now();
    await pushImage(client, "app", "1", "a");
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ headers }) => new Headers(headers).get("webhook-id"))).size).toBe(1);
    expect(clock.now() - before).toBe(5000);
    expect(lines).toHaveLength(2);
  });

  it("what nobody takes is lost, with a line that has neither URL nor key", async () => {
    const { client, sent } = createDirect([]);
    await pushImage(client, "app", "1", "a");
    expect(sent).toHaveLength(3);
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ attempt: 3, outcome: "failed", reason: "status 500" });
    expect(lines.join()).not.toMatch(/secret-path|whsec_/);
  });

  it("six deliveries go on at once", async () => {
    let [now, most] = [0, 0];
    const { client } = createWorld(
      { webhooks: webhooks({ events: ["tag.created"] }) },
      {
        queue: undefined,
        fetch: async () => {
          now += 1;
          most = Math.max(most, now);
          await new Promise<void>((resolve) => setTimeout(resolve));
          now -= 1;
          return new Response(null);
        },
      },
    );
    const image = await pushImage(client, "app", "1", "a");
    const tags = Array.from({ length: 20 }, (_, index) => `tag=t${index}`).join("&");
    await putManifest(client, "app", `${image.digest}?${tags}`, image);
    expect(most).toBe(6);
  });

  it("a receiver that is gone is not asked again", async () => {
    const { client, sent } = createDirect([410]);
    await pushImage(client, "app", "1", "a");
    expect(sent).toHaveLength(1);
  });
});
