import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { faults } from "../doubles/faults.ts";
import { immediate } from "../doubles/gate.ts";
import { blobOf, closeUpload, expectStatus, noise, pushBlob, type TestBlob } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { expectSound, kinds } from "./bucket.ts";
import { expectBlob, expectCreated, expectNoBlob, locationOf } from "./flows.ts";

const bytes = noise(5000);

async function sourceWorld() {
  const world = createTestRegistry();
  const client = world.client();
  const blob = await blobOf(bytes);
  await expectStatus(pushBlob(client, "team/source", blob), 201);
  return { world, client, blob };
}

function mount(client: Client, name: string, digest: string, from?: string): Promise<Response> {
  const query = new URLSearchParams({ mount: digest, ...(from !== undefined && { from }) });
  return client.ask(`POST /v2/${name}/blobs/uploads/?${query}`);
}

/** The mount was refused: an ordinary session began, which takes the blob. */
async function expectSession(client: Client, name: string, answer: Response, blob: TestBlob): Promise<void> {
  expect(answer.status).toBe(202);
  expect(new URL(locationOf(answer)).pathname).toMatch(new RegExp(`^/v2/${name}/blobs/uploads/`));
  await expectCreated(closeUpload(client, answer, blob.digest, blob.bytes), name, blob);
  await expectBlob(client, name, blob);
}

describe("a mount", () => {
  it("with from: 201, and no byte is written", async () => {
    const { world, client, blob } = await sourceWorld();
    await expectCreated(mount(client, "app", blob.digest, "team/source"), "app", blob);
    await expectBlob(client, "app", blob);
    expect(kinds(world)).toEqual({ blobData: 1, owner: 2, layerLink: 2 });
  });

  it.each(["?from=team%2Fsource&mount=", "?mount="])("as clients write it: %s", async (query) => {
    const { client, blob } = await sourceWorld();
    const digest = query.startsWith("?from")
      ? encodeURIComponent(blob.digest)
      : `${blob.digest}&from=team/source`;
    await expectCreated(client.ask(`POST /v2/app/blobs/uploads/${query}${digest}`), "app", blob);
  });

  it("without from: any repository that has it", async () => {
    const { client, blob } = await sourceWorld();
    await expectCreated(mount(client, "app", blob.digest), "app", blob);
    await expectBlob(client, "app", blob);
  });

  it("without from passes repositories that no longer have it", async () => {
    const { client, blob } = await sourceWorld();
    await expectStatus(pushBlob(client, "aaa", blob), 201);
    await expectStatus(client.ask(`DELETE /v2/aaa/blobs/${blob.digest}`), 202);
    await expectCreated(mount(client, "app", blob.digest), "app", blob);
  });

  it.each(["app", undefined])("onto itself, from %s: 201", async (from) => {
    const { world, client, blob } = await sourceWorld();
    await expectStatus(pushBlob(client, "app", blob), 201);
    await expectCreated(mount(client, "app", blob.digest, from), "app", blob);
    await expectBlob(client, "app", blob);
    expectSound(world);
  });

  it("onto itself without having it: an ordinary session", async () => {
    const { client, blob } = await sourceWorld();
    await expectSession(client, "app", await mount(client, "app", blob.digest, "app"), blob);
  });

  it("survives the source", async () => {
    const { world, client, blob } = await sourceWorld();
    await expectCreated(mount(client, "app", blob.digest, "team/source"), "app", blob);
    await expectStatus(client.ask(`DELETE /v2/team/source/blobs/${blob.digest}`), 202);
    await expectNoBlob(client, "team/source", blob);
    await expectBlob(client, "app", blob);
    expectSound(world);
  });

  it("gives back what was deleted here", async () => {
    const { client, blob } = await sourceWorld();
    await expectCreated(mount(client, "app", blob.digest, "team/source"), "app", blob);
    await expectStatus(client.ask(`DELETE /v2/app/blobs/${blob.digest}`), 202);
    await expectNoBlob(client, "app", blob);
    await expectCreated(mount(client, "app", blob.digest, "team/source"), "app", blob);
    await expectBlob(client, "app", blob);
  });
});

describe("a mount that cannot be done is an ordinary session", () => {
  it.each([
    ["a source that has not the blob", "team/other"],
    ["a source whose name is none", "Not A Name"],
    ["no source that has it", undefined],
  ])("%s", async (_, from) => {
    const client = createTestRegistry().client();
    const blob = await blobOf(bytes);
    await expectSession(client, "app", await mount(client, "app", blob.digest, from), blob);
  });

  it.each(["", "nonsense", "sha256:short", `blake3:${"0".repeat(64)}`])("the digest '%s'", async (digest) => {
    const client = createTestRegistry().client();
    const answer = await mount(client, "app", digest, "team/source");
    await expectSession(client, "app", answer, await blobOf(bytes));
  });

  it("a source that was deleted before", async () => {
    const { client, blob } = await sourceWorld();
    await expectStatus(client.ask(`DELETE /v2/team/source/blobs/${blob.digest}`), 202);
    await expectSession(client, "app", await mount(client, "app", blob.digest, "team/source"), blob);
  });

  it("a source whose bytes are gone", async () => {
    const { world, client, blob } = await sourceWorld();
    await world.r2.actor("vandal").delete(client.registry.store.layout.blobData(blob.digest));
    const answer = await mount(client, "app", blob.digest, "team/source");
    await expectNoBlob(client, "app", blob);
    await expectSession(client, "app", answer, blob);
  });

  it("a source whose link leads to another digest, as distribution's do for sha512", async () => {
    const { world, client, blob } = await sourceWorld();
    const other = await blobOf(bytes, "sha512");
    const link = client.registry.store.layout.layerLink(parseRepositoryName("team/source"), other.digest);
    await world.r2.actor("distribution").put(link, blob.digest);
    await expectSession(client, "app", await mount(client, "app", other.digest, "team/source"), other);
  });

  it("a sweep of garbage collection that goes on meanwhile", async () => {
    const { world, client, blob } = await sourceWorld();
    const guard = client.registry.store.layout.guard();
    let heads = 0;
    world.gate.policy = async ({ operation }) => {
      if (operation.kind === "head" && operation.keys[0] === guard && ++heads === 2) {
        world.gate.policy = immediate;
        await world.r2.actor("gc").put(guard, "sweep", {
          customMetadata: { state: "sweeping", at: String(world.clock.now()) },
        });
      }
      return undefined;
    };
    const answer = await mount(client, "app", blob.digest, "team/source");
    expect(answer.status).toBe(202);
    await expectNoBlob(client, "app", blob);
    await world.r2.actor("gc").put(guard, "idle", { customMetadata: { state: "idle" } });
    await expectSession(client, "app", answer, blob);
  });

  it("and R2 that fails is a 5xx, after which it can be done", async () => {
    const { world, client, blob } = await sourceWorld();
    world.gate.policy = faults([{ when: "before", at: 0 }]);
    expect((await mount(client, "app", blob.digest, "team/source")).status).toBe(500);
    world.gate.policy = immediate;
    await expectCreated(mount(client, "app", blob.digest, "team/source"), "app", blob);
  });
});
