import { describe, expect, it } from "vitest";
import { parseTagPatterns } from "../../src/storage/tag-pattern.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { r2Error } from "../doubles/r2-error.ts";
import { expectStatus, pushImage, putManifest, type TestManifest } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { tagsOf } from "./many-tags.ts";

interface Place {
  readonly world: TestRegistry;
  readonly client: Client;
  readonly a: TestManifest;
  readonly b: TestManifest;
}

/** Two images, and no tags. */
async function place(immutable: readonly string[] = []): Promise<Place> {
  const world = createTestRegistry({ config: { immutableTags: parseTagPatterns(immutable) } });
  const client = world.client();
  const a = await pushImage(client, "app", undefined, "a");
  const b = await pushImage(client, "app", undefined, "b");
  return { world, client, a, b };
}

/** What happened to tag t before. */
const histories = {
  "never set": async () => undefined,
  "that names A": async ({ client, a }: Place) => void (await putManifest(client, "app", "t", a)),
  "that names B": async ({ client, b }: Place) => void (await putManifest(client, "app", "t", b)),
  "that named A and was deleted": async ({ client, a }: Place) => {
    await putManifest(client, "app", "t", a);
    await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
  },
  "that named A, which was deleted by digest": async ({ client, a }: Place) => {
    await putManifest(client, "app", "t", a);
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${a.digest}`), 202);
  },
} as const;
type History = keyof typeof histories;

/** `<A>` and `<B>` in a header stand for the digests. */
function withDigests(headers: Record<string, string>, { a, b }: Place): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value.replace("<A>", a.digest).replace("<B>", b.digest),
    ]),
  );
}

async function digestOfTag(client: Client): Promise<string | undefined> {
  const head = await client.ask("HEAD /v2/app/manifests/t");
  return head.status === 200 ? (head.headers.get("Docker-Content-Digest") ?? "") : undefined;
}

const ifAbsent = { "If-None-Match": "*" };
const ifA = { "If-Match": '"<A>"' };
const ifAny = { "If-Match": "*" };

describe("a PUT of B", () => {
  it.each<readonly [Record<string, string>, History, number]>([
    [ifA, "that names A", 201],
    [ifA, "that names B", 412],
    [ifA, "never set", 412],
    [ifA, "that named A and was deleted", 412],
    [ifA, "that named A, which was deleted by digest", 412],
    [{ "If-Match": '"<B>", "<A>"' }, "that names A", 201],
    [{ "If-Match": 'W/"<A>"' }, "that names A", 412],
    [ifAny, "that names A", 201],
    [ifAny, "never set", 412],
    [ifAny, "that named A and was deleted", 412],
    [ifAny, "that named A, which was deleted by digest", 412],
    [ifAbsent, "never set", 201],
    [ifAbsent, "that names A", 412],
    [ifAbsent, "that names B", 412],
    [ifAbsent, "that named A and was deleted", 201],
    [ifAbsent, "that named A, which was deleted by digest", 201],
    [{ "If-None-Match": '"<A>"' }, "that names A", 412],
    [{ "If-None-Match": '"<A>"' }, "that names B", 201],
  ])("under %j to a tag %s is answered %i", async (headers, history, status) => {
    const given = await place();
    await histories[history](given);
    const before = await digestOfTag(given.client);
    const answer = await putManifest(given.client, "app", "t", given.b, withDigests(headers, given));
    expect(answer.status).toBe(status);
    expect(await digestOfTag(given.client)).toBe(status === 201 ? given.b.digest : before);
    if (status === 201) return;
    const { errors } = await answer.json<{ errors: object[] }>();
    expect(errors).toMatchObject([{ code: "DENIED", detail: { tag: "t", digest: before ?? null } }]);
    expect(answer.headers.get("ETag")).toBe(before === undefined ? null : `"${before}"`);
  });
});

describe("a DELETE", () => {
  it.each<readonly [Record<string, string>, History, number]>([
    [ifA, "that names A", 202],
    [ifA, "that names B", 412],
    [ifA, "never set", 412],
    [ifA, "that named A and was deleted", 412],
    [ifAny, "that names B", 202],
    [{ "If-None-Match": '"<A>"' }, "that names A", 412],
  ])("under %j of a tag %s is answered %i", async (headers, history, status) => {
    const given = await place();
    await histories[history](given);
    const before = await digestOfTag(given.client);
    const answer = await given.client.ask("DELETE /v2/app/manifests/t", {
      headers: withDigests(headers, given),
    });
    expect(answer.status).toBe(status);
    expect(await digestOfTag(given.client)).toBe(status === 202 ? undefined : before);
  });

  it("by digest takes its condition from the manifest", async () => {
    const { client, a } = await place();
    const remove = (headers: HeadersInit) => client.ask(`DELETE /v2/app/manifests/${a.digest}`, { headers });
    expect((await remove({ "If-None-Match": "*" })).status).toBe(412);
    expect((await remove({ "If-Match": `"${a.digest}"` })).status).toBe(202);
    expect((await remove({ "If-Match": `"${a.digest}"` })).status).toBe(412);
  });
});

describe("an immutable tag", () => {
  it.each<readonly [History, "a" | "b", number]>([
    ["never set", "b", 201],
    ["that names A", "a", 201],
    ["that names A", "b", 409],
    ["that named A and was deleted", "a", 201],
    ["that named A and was deleted", "b", 409],
    ["that named A, which was deleted by digest", "a", 201],
    ["that named A, which was deleted by digest", "b", 409],
  ])("%s, pushed %s: %i", async (history, which, status) => {
    const given = await place(["app:t"]);
    await histories[history](given);
    const answer = await putManifest(given.client, "app", "t", given[which]);
    expect(answer.status).toBe(status);
    if (status === 201) return;
    const { errors } = await answer.json<{ errors: object[] }>();
    expect(errors).toMatchObject([{ code: "DENIED", detail: { tag: "t", digest: given.a.digest } }]);
  });

  it("is one in the repositories that its pattern covers, and no other tag is", async () => {
    const { client, a, b } = await place(["prod/*:v*"]);
    for (const [name, tag, status] of [
      ["prod/app", "v1", 409],
      ["prod/app", "latest", 201],
      ["dev/app", "v1", 201],
    ] as const) {
      for (const image of [a, b]) {
        const { config, layers } = JSON.parse(new TextDecoder().decode(image.bytes));
        for (const { digest } of [config, ...layers]) {
          await expectStatus(client.ask(`POST /v2/${name}/blobs/uploads/?mount=${digest}&from=app`), 201);
        }
      }
      expect((await putManifest(client, name, tag, a)).status).toBe(201);
      expect((await putManifest(client, name, tag, b)).status).toBe(status);
    }
  });

  it("among the tags of a PUT by digest keeps all of them from being set", async () => {
    const given = await place(["app:t"]);
    await histories["that names A"](given);
    const query = `${given.b.digest}?tag=free&tag=t`;
    expect((await putManifest(given.client, "app", query, given.b)).status).toBe(409);
    expect(await tagsOf(given.client, "app")).toEqual(["t"]);
  });

  it("under a condition that does not hold is a 412 all the same", async () => {
    const given = await place(["app:t"]);
    await histories["that names A"](given);
    expect((await putManifest(given.client, "app", "t", given.b, ifAbsent)).status).toBe(412);
  });
});

describe("R2's one write a second for each key", () => {
  it("makes a tag that moves twice in a second wait, and fails nobody", async () => {
    const world = createTestRegistry({ r2: { oneWritePerSecond: true } });
    const client = world.client();
    await pushImage(client, "app", "t", "a");
    const begin = world.clock.now();
    const b = await pushImage(client, "app", "t", "b");
    expect(world.clock.now() - begin).toBeGreaterThanOrEqual(1000);
    expect(await digestOfTag(client)).toBe(b.digest);
    await expectStatus(client.ask("DELETE /v2/app/manifests/t"), 202);
    expect(await digestOfTag(client)).toBeUndefined();
  });

  it("is a 503 with Retry-After when it does not end", async () => {
    const given = await place();
    await histories["that names A"](given);
    given.world.gate.policy = faults([
      {
        when: "before",
        matching: ({ kind, keys }) => kind === "put" && keys.some((key) => key.endsWith("/_skerry/tags/t")),
        error: () => r2Error("put", 10058),
      },
    ]);
    for (const request of [
      putManifest(given.client, "app", "t", given.b),
      given.client.ask("DELETE /v2/app/manifests/t"),
    ]) {
      const answer = await request;
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
    }
    given.world.gate.policy = immediate;
    expect(await digestOfTag(given.client)).toBe(given.a.digest);
  });
});
