import { describe, expect, it } from "vitest";
import type { EventQueue } from "../../src/events/events.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { codesOf, createWorld, type World } from "../upstream/unit/world.ts";
import {
  ask,
  begin,
  createImportWorld,
  drive,
  json,
  pushUpstream,
  step,
  type Told,
  target,
  told,
} from "./world.ts";

const imports = `/v2/${target}/_skerry/imports`;

it("is told of to those who push to its repository alone", async () => {
  const world = createImportWorld();
  await pushUpstream(world);
  const id = await begin(world);
  const listed = await (await expectStatus(world.client.ask(`GET ${imports}`), 200)).json();
  expect(listed).toMatchObject({ name: target, imports: [{ id, state: "open" }] });
  const elsewhere = `/v2/team/other/_skerry/imports`;
  expect(await (await world.client.ask(`GET ${elsewhere}`)).json()).toMatchObject({ imports: [] });
  for (const method of ["GET", "POST", "DELETE"])
    await expectStatus(
      world.client.ask(`${method} ${elsewhere}/${id}`, method === "GET" ? {} : json({})),
      404,
    );
  for (const other of [crypto.randomUUID(), "x", "..", "%2e%2e"])
    expect((await world.client.ask(`GET ${imports}/${other}`)).status).toBeGreaterThanOrEqual(400);
  expect((await told(world.client, id)).state).toBe("open");
});

it("goes on by a request for a step, and is as it was after one too many", async () => {
  const world = createImportWorld();
  const pushed = await pushUpstream(world);
  const id = await begin(world);
  for (const count of [1, 2]) {
    const answer = await expectStatus(world.client.ask(`POST ${imports}/${id}`, json({})), 200);
    expect(await answer.json(), `${count}`).toMatchObject({ state: "done", digest: pushed.image.digest });
    expect(answer.headers.get("Retry-After")).toBeNull();
  }
  await expectStatus(world.client.ask(`DELETE ${imports}/${id}`), 204);
  expect((await told(world.client, id)).state).toBe("done");
});

it("asks who drives it to wait while another step is at work", async () => {
  const world = createImportWorld();
  await pushUpstream(world);
  const id = await begin(world);
  let beside: Response | undefined;
  world.answer(async ({ method, url, headers }) => {
    beside ??= await world.isolate().ask(`POST ${imports}/${id}`, json({}));
    return world.origin.ask(`${method} ${url.href}`, { headers });
  });
  await step(world.client, id);
  expect([beside?.status, beside?.headers.get("Retry-After")]).toEqual([200, "2"]);
  expect(world.asked().filter((line) => line.includes("/manifests/"))).toHaveLength(1);
});

describe("what is refused before a byte is fetched", () => {
  it.each([
    ["no JSON", { headers: { "Content-Type": "application/json" }, body: "{" }],
    [
      "a form of another site",
      { headers: { "Content-Type": "text/plain" }, body: '{"from":"up/team/app:1"}' },
    ],
    ["no source", json({ tags: ["1"] })],
    ["a source that is no text", json({ from: 1 })],
    ["a tag that is none", json({ from: "up/team/app:1", tags: ["a b"] })],
    ["too many tags", json({ from: "up/team/app:1", tags: Array.from({ length: 51 }, (_, at) => `t${at}`) })],
    ["what nobody knows of", json({ from: "up/team/app:1", url: "http://169.254.169.254/" })],
  ])("%s: 400", async (_what, request) => {
    const world = createImportWorld();
    const answer = await world.client.ask(`POST ${imports}`, request);
    expect([answer.status, await codesOf(answer), world.sent]).toEqual([400, ["UNSUPPORTED"], []]);
  });

  it("a target that mirrors an upstream, and a registry that is read-only: 405", async () => {
    const world = createImportWorld();
    const mirror = await world.client.ask(
      "POST /v2/up/team/app/_skerry/imports",
      json({ from: "up/team/app:1" }),
    );
    const fixed = await ask(createImportWorld({ variables: { READ_ONLY: "true" } }).client, "up/team/app:1");
    expect([mirror.status, mirror.headers.get("Allow"), fixed.status]).toEqual([405, "", 405]);
  });
});

it("fails before the layers come where the tag is immutable and names something else", async () => {
  const world = createImportWorld({ variables: { IMMUTABLE_TAGS: "team/*:1" } });
  await pushUpstream(world);
  await pushImage(world.client, target, "1", "another");
  const id = await begin(world);
  expect(await drive(world.client, id)).toMatchObject({ state: "failed", error: { code: "DENIED" } });
  expect(world.asked()).toEqual(["GET /v2/team/app/manifests/1"]);
});

it("fails before the layers come where the manifest is of a class that is not taken", async () => {
  const world = createImportWorld({ variables: { REPOSITORY_CLASSES: "plugin" } });
  await pushUpstream(world);
  const id = await begin(world);
  expect(await drive(world.client, id)).toMatchObject({ state: "failed", error: { code: "DENIED" } });
  expect(world.asked()).toEqual(["GET /v2/team/app/manifests/1"]);
});

it("tells webhooks of blobs, manifest and tag, once", async () => {
  const webhook = {
    name: "all",
    url: "https://hooks.example/",
    secret: `whsec_${btoa("x".repeat(32))}`,
    blobs: true,
  };
  const happened: string[] = [];
  const queue: EventQueue = {
    async sendBatch(messages) {
      for (const { body } of messages)
        happened.push(...body.events.map(({ type, kind }) => `${type} ${kind}`));
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    },
  };
  const world = createWorld({ variables: { WEBHOOKS: JSON.stringify([webhook]) }, platform: { queue } });
  await pushUpstream(world);
  const answer = await world.client.ask(`POST ${imports}`, json({ from: "up/team/app:1" }));
  const { id } = await answer.json<Told>();
  await expectStatus(world.client.ask(`POST ${imports}/${id}`, json({})), 200);
  expect(happened.sort()).toEqual([
    "push blob",
    "push blob",
    "push blob",
    "push manifest",
    "tag.created tag",
  ]);
});

it("is announced where there is an upstream to import from", async () => {
  const endpointsOf = async (world: World) => {
    const answer = await expectStatus(world.client.ask(`GET /v2/${target}/_oci/ext/discover`), 200);
    const { extensions } = await answer.json<{ extensions: readonly { endpoints: readonly string[] }[] }>();
    return extensions
      .flatMap(({ endpoints }) => endpoints)
      .filter((endpoint) => endpoint.includes("imports"));
  };
  expect(await endpointsOf(createImportWorld())).toEqual(["_skerry/imports", "_skerry/imports/<id>"]);
  expect(await endpointsOf(createImportWorld({ variables: { UPSTREAMS: "" } }))).toEqual([]);
});
