import { describe, expect, it } from "vitest";
import { restartAdoption, runAdoptStep } from "../../src/maintenance/adopt.ts";
import { expectStatus, pushImage, putManifest } from "../support/content.ts";
import { Distribution } from "../support/distribution.ts";
import { createTestRegistry } from "../support/registry.ts";

/** A registry in which Skerry's tag `1` names an image, and distribution then pushed that image as `2`. */
async function pushedAgain(config: { readonly kvRecords: boolean }) {
  const world = createTestRegistry({ config });
  const client = world.client();
  const { store } = client.registry;
  const image = await pushImage(client, "app", "1", "a");
  await runAdoptStep(store, 10_000);
  world.clock.advance(3600_000);
  await new Distribution(world.r2.actor("distribution")).manifest("app", image, "2");
  const adopt = async () => {
    await restartAdoption(store);
    await runAdoptStep(store, 10_000);
  };
  return { client, image, adopt };
}

describe.each([
  ["before it is adopted", false],
  ["once it is adopted", true],
])("a revision link that distribution wrote over one of Skerry's, %s", (_when, isAdopted) => {
  it("leaves the tags of its manifest alive", async () => {
    const { client, image, adopt } = await pushedAgain({ kvRecords: false });
    if (isAdopted) await adopt();
    for (const tag of ["1", "2"]) {
      const answer = await expectStatus(client.ask(`GET /v2/app/manifests/${tag}`), 200);
      expect(answer.headers.get("Docker-Content-Digest")).toBe(image.digest);
    }
    const condition = { "If-Match": `"${image.digest}"` };
    await expectStatus(putManifest(client, "app", "1", image, condition), 201);
    await expectStatus(client.ask("POST /v2/app/_skerry/tags/1/restore", restore(image.digest)), 200);
  });

  it("is deleted with all of them", async () => {
    const { client, image, adopt } = await pushedAgain({ kvRecords: true });
    if (isAdopted) await adopt();
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${image.digest}`), 202);
    await adopt();
    for (const tag of ["1", "2"]) await expectStatus(client.ask(`GET /v2/app/manifests/${tag}`), 404);
  });
});

function restore(digest: string) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ digest }) };
}
