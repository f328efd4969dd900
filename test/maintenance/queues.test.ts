import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/config.ts";
import worker from "../../src/index.ts";
import { MessageDouble, notificationOf } from "../support/bucket-events.ts";

/** A batch of the queue of that name. */
function batchOf(queue: string, ...bodies: readonly unknown[]) {
  const messages = bodies.map((body) => new MessageDouble(body));
  const ackAll = () => {
    for (const message of messages) message.ack();
  };
  return { messages, batch: { queue, messages, ackAll } as unknown as MessageBatch };
}

function environment(vars: Readonly<Record<string, string>>): Env {
  return { BUCKET: env.BUCKET, TAGS: env.TAGS, ...vars };
}

const event = notificationOf("PutObject", "docker/registry/v2/repositories/a/_layers/link", new Date(0));

describe("the Worker's queues", () => {
  it("of the bucket's events adopt what they name", async () => {
    const { messages, batch } = batchOf("skerry-bucket-events", event);
    await worker.queue(batch, environment({ FOREIGN_WRITES: "events" }));
    expect(messages.map(({ outcome }) => outcome)).toEqual(["acknowledged"]);
  });

  it.each([{}, { FOREIGN_WRITES: "events", READ_ONLY: "true" }])(
    "of the bucket's events are dropped, and the log says so, with %o",
    async (vars) => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const { messages, batch } = batchOf("skerry-bucket-events", event);
      await worker.queue(batch, environment(vars));
      expect(messages.map(({ outcome }) => outcome)).toEqual(["acknowledged"]);
      expect(warn).toHaveBeenCalledOnce();
    },
  );

  it("that nobody knows fail, so that their messages stay", async () => {
    const { batch } = batchOf("another", event);
    await expect(worker.queue(batch, environment({}))).rejects.toThrow(
      "nothing is known of the queue another",
    );
  });
});
