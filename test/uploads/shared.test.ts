import { describe, expect, it } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import { nothingMoves } from "../doubles/rounds.ts";
import { blobOf, closeUpload, noise, type TestBlob } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { expectSound, kinds, segments } from "./bucket.ts";
import { chunked, expectBlob, expectError, openUpload, patch } from "./flows.ts";

const clients = 20;

type Push = (client: Client, name: string, blob: TestBlob) => Promise<Response>;

const flows: Readonly<Record<string, Push>> = {
  "POST+PUT": async (client, name, blob) =>
    closeUpload(client, await openUpload(client, name), blob.digest, blob.bytes),
  "POST+PATCH+PUT": async (client, name, blob) =>
    closeUpload(client, await patch(client, await openUpload(client, name), blob.bytes), blob.digest),
  "POST+PATCH+PUT in chunks": async (client, name, blob) =>
    closeUpload(
      client,
      await patch(client, await openUpload(client, name), chunked(blob.bytes)),
      blob.digest,
    ),
};

const small = noise(1000);
const large = noise(1_200_000);

/** R2 takes one write a second per key: the double refuses others. */
function busyWorld() {
  return createTestRegistry({
    clock: new VirtualClock(),
    r2: { oneWritePerSecond: true },
    config: { uploadBufferSize: 500_000 },
  });
}

/** Lets time pass, in small steps, whenever everything waits. */
async function inTime<Result>({ clock }: TestRegistry, work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  work.then(done, done);
  while (!isDone) {
    await nothingMoves();
    clock.advance(50);
  }
  return work;
}

describe(`a layer that ${clients} clients push at once`, () => {
  it.each(
    Object.entries(flows).flatMap(([flow, push]) => [
      [flow, "a small layer", small, push] as const,
      [flow, "a large layer", large, push] as const,
    ]),
  )("to one repository by %s, %s: all get 201", async (_flow, _kind, bytes, push) => {
    const world = busyWorld();
    const blob = await blobOf(bytes);
    const pushes = Array.from({ length: clients }, (_, index) => push(world.client(`${index}`), "app", blob));
    const statuses = (await inTime(world, Promise.all(pushes))).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: clients }, () => 201));
    await expectBlob(world.client(), "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 1, layerLink: 1 });
  });

  it.each([
    ["POST+PUT, a small layer", small, flows["POST+PUT"]],
    ["POST+PATCH+PUT, a small layer", small, flows["POST+PATCH+PUT"]],
    ["POST+PATCH+PUT, a large layer", large, flows["POST+PATCH+PUT"]],
    ["POST+PATCH+PUT in chunks, a large layer", large, flows["POST+PATCH+PUT in chunks"]],
  ])("each to a repository of his own by %s: all get 201", async (_, bytes, push) => {
    const world = busyWorld();
    const blob = await blobOf(bytes);
    const names = Array.from({ length: clients }, (_each, index) => `app${index}`);
    const pushes = names.map((name) => push?.(world.client(name), name, blob));
    const answers = await inTime(world, Promise.all(pushes));
    expect(answers.map((answer) => answer?.status)).toEqual(names.map(() => 201));
    for (const name of names) await expectBlob(world.client(), name, blob);
    expect(segments(world)).toEqual([]);
    expect(kinds(world)).toEqual({ blobData: 1, owner: clients, layerLink: clients });
  });

  it("each to a repository of his own by POST+PUT, a large layer: 201 or 503, and the 503 once more", async () => {
    const world = busyWorld();
    const blob = await blobOf(large);
    const names = Array.from({ length: clients }, (_, index) => `app${index}`);
    const push = (name: string) => flows["POST+PUT"]?.(world.client(name), name, blob);
    const pushes = names.map(async (name) => ({ name, answer: await push(name) }));
    const answers = await inTime(world, Promise.all(pushes));
    const refused = answers.filter(({ answer }) => answer?.status !== 201);
    // Whose body was refused for somebody else's write cannot have it checked: R2 has it, but not from him.
    expect(refused.length).toBeLessThan(clients);
    for (const { name, answer } of refused) {
      await expectError(answer ?? new Response(), 503, "TOOMANYREQUESTS");
      expect(Number(answer?.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect((await world.client().ask(`HEAD /v2/${name}/blobs/${blob.digest}`)).status).toBe(404);
    }
    const again = await inTime(world, Promise.all(refused.map(({ name }) => push(name))));
    expect(again.map((answer) => answer?.status)).toEqual(refused.map(() => 201));
    for (const name of names) await expectBlob(world.client(), name, blob);
    expectSound(world);
  });
});
