import { describe, expect, it } from "vitest";
import { relayedStream } from "../../src/storage/fed-stream.ts";

const size = 1_000_000;

/** A body that sends half of what it announces, and then breaks off, or waits for more. */
function halfOf(breaksOff: boolean): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      controller.enqueue(new Uint8Array(size / 2));
    },
    async pull(controller) {
      if (breaksOff) controller.error(new Error("Network connection lost."));
      else await new Promise(() => undefined);
    },
  });
}

describe("a body that is handed to a put", () => {
  it("arrives as it is", async () => {
    const body = new Response(new Uint8Array(size).fill(7)).body;
    if (body === null) throw new Error("no body");
    const put = async (readable: ReadableStream) =>
      new Uint8Array(await new Response(readable).arrayBuffer());
    expect(await relayedStream(body, size, put)).toEqual(new Uint8Array(size).fill(7));
  });

  it("is a client gone when it breaks off", async () => {
    const put = (readable: ReadableStream) => new Response(readable).arrayBuffer();
    await expect(relayedStream(halfOf(true), size, put)).rejects.toMatchObject({ status: 499 });
  });

  it("is not when the put fails, though by the same words", async () => {
    const failure = new Error("Network connection lost.");
    const put = async (readable: ReadableStream) => {
      const reader = readable.getReader();
      await reader.read();
      queueMicrotask(() => reader.cancel(failure));
      throw failure;
    };
    await expect(relayedStream(halfOf(false), size, put)).rejects.toBe(failure);
  });
});
