import { expect, it } from "vitest";
import { type Operation, operationClass } from "../doubles/operation.ts";
import { pushImage } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { tagMany, tagsOf } from "./many-tags.ts";

const limit = 900;

/** Asks for the delete again and again, as a client does that honours Retry-After. */
async function deleteUntilDone(world: TestRegistry, client: Client, digest: string) {
  const requests: { readonly status: number; readonly left?: number; readonly operations: number }[] = [];
  for (;;) {
    const before = world.gate.trace.length;
    const answer = await client.ask(`DELETE /v2/app/manifests/${digest}`);
    const operations = world.gate.trace.length - before;
    if (answer.status !== 503) {
      requests.push({ status: answer.status, operations });
      return requests;
    }
    expect(answer.headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
    const { errors } = await answer.json<{ errors: { code: string; detail: { left: number } }[] }>();
    expect(errors[0]?.code).toBe("TOOMANYREQUESTS");
    requests.push({ status: 503, operations, left: errors[0]?.detail.left ?? 0 });
  }
}

/** How often each key was read, and how often written. */
function touches(operations: readonly Operation[], isTag: (key: string) => boolean) {
  const reads = new Map<string, number>();
  const writes = new Map<string, number>();
  for (const operation of operations.filter(({ kind }) => kind !== "list")) {
    const into = operationClass(operation) === "B" ? reads : writes;
    for (const key of operation.keys.filter(isTag)) into.set(key, (into.get(key) ?? 0) + 1);
  }
  return { reads: [...reads.values()], writes: [...writes.values()] };
}

it("10,000 tags on one digest go in requests that stay within their operations", {
  timeout: 120_000,
}, async () => {
  const count = 10_000;
  const world = createTestRegistry({ config: { operationsPerRequest: limit } });
  const client = world.client();
  const image = await pushImage(client, "app", undefined, "a");
  await tagMany(client, "app", image, count, "t");
  await pushImage(client, "app", "kept", "b");

  const first = world.gate.trace.length;
  const requests = await deleteUntilDone(world, client, image.digest);
  const operations = world.gate.trace.slice(first);

  expect(requests.at(-1)?.status).toBe(202);
  expect(Math.max(...requests.map((request) => request.operations))).toBeLessThanOrEqual(limit);
  // The number left goes down by what a request did, and is exact.
  const left = requests.flatMap((request) => request.left ?? []);
  expect(left.length).toBe(requests.length - 1);
  expect(left).toEqual(left.toSorted((a, b) => b - a));
  expect(new Set(left).size).toBe(left.length);
  expect(left[0]).toBeGreaterThan(count - limit / 3);
  expect(requests.length).toBeLessThanOrEqual(Math.ceil(count / 200));

  const { reads, writes } = touches(operations, (key) => key.includes("/_skerry/tags/"));
  expect(writes).toEqual(Array(count).fill(1));
  expect(reads.length).toBe(count);
  // The second look at most tags is a list.
  expect(Math.max(...reads)).toBeLessThanOrEqual(2);
  // Beside those come lists, looks at the revision, and notes of how far the tombstone has come.
  const revision = operations.filter(({ keys }) =>
    keys.some((key) => key.includes("/_manifests/revisions/")),
  );
  const perRequest = (kind: Operation["kind"]) =>
    revision.filter((operation) => operation.kind === kind).length / requests.length;
  expect(perRequest("head")).toBeLessThanOrEqual(5);
  expect(perRequest("put")).toBeLessThan(1.1);
  const others = operations.filter(
    ({ store, kind, keys }) =>
      store === "R2" &&
      kind !== "list" &&
      kind !== "delete" &&
      !/_skerry\/tags\/|revisions/.test(keys.join()),
  );
  expect(others).toEqual([]);

  expect(await tagsOf(client, "app")).toEqual(["kept"]);
  const links = [...world.r2.store.objects()].filter(({ key }) => key.endsWith("/current/link"));
  expect(links).toHaveLength(1);
  expect([...world.kv.store.entries().keys()]).toEqual(["strong:app:kept"]);
});
