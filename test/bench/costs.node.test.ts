import { expect, it } from "vitest";
import { costs, pullUse, pushUse } from "../../bench/costs.ts";
import { messages } from "../../bench/queue-costs.ts";
import { costOf } from "../../bench/support/budgets.ts";
import { parseWebhooks } from "../../src/events/webhooks.ts";
import { manifestOf } from "../../src/oci/manifest.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { createTestRegistry } from "../support/registry.ts";

it("writes docs/costs.md", async () => {
  await expect(costs()).toMatchFileSnapshot("../../docs/costs.md");
});

it("adds up what docker asks for", () => {
  const { A, B, requests } = pushUse();
  // Three layers by three segments each and a commit, a small configuration, a manifest.
  expect({ A, B, requests }).toEqual({ A: 3 * 6 + 4 + 6, B: 12 + 3 * 7 + 6 + 20, requests: 27 });
  expect(pullUse()).toMatchObject({ A: 0, requests: 16 });
});

it("counts the links that R2 tells a queue of", () => {
  // Four blobs, the manifest, its tag.
  expect(pushUse().links).toBe(4 + 1 + 1);
  expect(pullUse().links).toBe(0);
});

it("says of messages and data points what a registry makes of them", async () => {
  const sent: string[] = [];
  let points = 0;
  const queue = {
    sendBatch: async (batch: Iterable<MessageSendRequest>) => {
      for (const { body } of batch) sent.push(JSON.stringify(body));
      return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
    },
  };
  const metrics = { writeDataPoint: () => void points++ };
  const secret = `whsec_${btoa("a key of which nobody must know")}`;
  const events = ["push", "pull", "mount", "delete", "tag.created", "tag.moved", "tag.deleted"];
  const webhook = { name: "one", url: "https://hooks.example.com/", secret, events };
  let requests = 0;
  const client = createTestRegistry({
    config: { webhooks: parseWebhooks(JSON.stringify([webhook])) },
    platform: { queue, metrics },
    onAnswer: () => void requests++,
  }).client();
  const image = await pushImage(client, "app", "1", "a");
  expect(sent).toHaveLength(messages.push);
  await pushImage(client, "app", "1", "b");
  expect(sent).toHaveLength(2 * messages.push);
  await expectStatus(client.ask("HEAD /v2/app/manifests/1"), 200);
  await expectStatus(client.ask(`GET /v2/app/manifests/${image.digest}`), 200);
  for (const { digest } of manifestOf(image.bytes)?.references ?? [])
    await expectStatus(client.ask(`GET /v2/app/blobs/${digest}`), 200);
  expect(sent).toHaveLength(2 * messages.push + messages.pull);
  for (const message of sent) expect(message.length).toBeLessThan(64_000);
  expect(requests).toBeGreaterThan(8);
  expect(points).toBe(requests);
});

it("counts the waits for R2, not those for the data centre's cache", () => {
  expect(costOf("GET manifest by tag, KV right").rounds).toBe(1);
  expect(costOf("GET manifest by tag, eventual").rounds).toBe(0);
  expect(costOf("GET manifest by digest").rounds).toBe(1);
  expect(costOf("GET blob, with a copy in the data centre").rounds).toBe(0);
  expect(costOf("DELETE blob").rounds).toBe(2);
  expect(() => costOf("GET nothing")).toThrow("says nothing of");
});
