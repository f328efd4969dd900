import { beforeEach, expect, test, vi } from "vitest";
import type { RepositoryName } from "../../src/oci/name.ts";
import { everyFault } from "../doubles/faults.ts";
import { internals } from "../support/answers.ts";
import { pushImage } from "../support/content.ts";
import { createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { Browser } from "./browser.ts";
import { pushRealImage } from "./images.ts";

const name = "team/app" as RepositoryName;
const here = `/-/repositories/${name}`;

/** What the registry logs about faults that a test makes is no news. */
beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

async function filled(): Promise<TestRegistry> {
  const registry = createTestRegistry();
  const client = registry.client("before");
  const image = await pushRealImage(client, name, "1", { config: { User: "me" } }, ["base", "app"]);
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength };
  await pushRealImage(client, name, "2", {}, ["base"], { subject });
  return registry;
}

test.each([
  "/",
  here,
  `${here}?sort=size`,
  `${here}/-/manifests/1`,
  `${here}/-/tags/1/history`,
  `${here}/-/manifests/1/delete`,
  `${here}/-/delete`,
  "/-/storage",
])("%s is a page whatever fails, which says nothing of the inside", async (path) => {
  const runs = await everyFault({
    prepare: filled,
    flow: (registry) => new Browser(registry.client("faulty")).get(path),
    async check({ world, outcome }) {
      if (outcome.status === "rejected") throw outcome.reason;
      const { status, headers, text } = outcome.value;
      expect(headers.get("Content-Type")).toBe("text/html; charset=utf-8");
      expect([200, 500, 503]).toContain(status);
      if (status !== 200) expect(text).not.toMatch(internals);
      expect((await new Browser(world.client("after")).get(path)).status).toBe(200);
    },
  });
  expect(runs).toBeGreaterThan(0);
});

test("a repository's deletion that failed anywhere goes on with the next step", async () => {
  const runs = await everyFault({
    prepare: async () => {
      const registry = await filled();
      await pushImage(registry.client("before"), name, "3", "three");
      return registry;
    },
    flow: (registry) => new Browser(registry.client("faulty")).post(`${here}/-/delete`),
    async check({ world, outcome, operation, when }) {
      if (outcome.status === "rejected") throw outcome.reason;
      const browser = new Browser(world.client("after"));
      let answer = await browser.post(`${here}/-/delete`);
      for (let step = 0; step < 3 && answer.text.includes("Go on"); step++) {
        answer = await browser.post(`${here}/-/delete`);
      }
      expect(answer.text, `${when} ${operation}`).toContain(`${name} is empty`);
      const { bucket, layout } = browser.client.registry.store;
      const { objects } = await bucket.list({ prefix: layout.keysOf(name), include: ["customMetadata"] });
      const live = objects.filter(({ key, customMetadata = {} }) => {
        const isTag = key.includes("/_skerry/tags/") && customMetadata.state === "live";
        const isManifest = key.includes("/revisions/") && customMetadata.tombstone === undefined;
        return isTag || isManifest || key.endsWith("/current/link");
      });
      expect(
        live.map(({ key }) => key),
        `${when} ${operation}`,
      ).toEqual([]);
    },
  });
  expect(runs).toBeGreaterThan(40);
});
