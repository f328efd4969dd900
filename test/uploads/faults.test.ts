import { beforeEach, describe, expect, it, vi } from "vitest";
import { everyFault } from "../doubles/faults.ts";
import { blobOf, closeUpload, expectStatus, noise, pushBlob, type TestBlob } from "../support/content.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../support/registry.ts";
import { expectSound } from "./bucket.ts";
import { chunked, expectBlob, expectNoBlob, locationOf, openUpload, patch } from "./flows.ts";
import { pushInParts } from "./parts-client.ts";

/** What the registry logs about faults that a test makes is no news. */
beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

vi.setConfig({ testTimeout: 30_000 });

const name = "app";
const small = noise(3000);
const large = noise(1_100_000);

/** A flow ends at the first answer that is no success. */
type Flow = (client: Client, blob: TestBlob) => Promise<Response>;

function steps(...requests: ((client: Client, last: Response, blob: TestBlob) => Promise<Response>)[]): Flow {
  return async (client, blob) => {
    let last = new Response();
    for (const request of requests) {
      last = await request(client, last, blob);
      if (!last.ok) break;
    }
    return last;
  };
}

const post = (client: Client) => client.ask(`POST /v2/${name}/blobs/uploads/`);
const patchAll = (client: Client, last: Response, { bytes }: TestBlob) => patch(client, last, bytes);
const patchChunked = (client: Client, last: Response, { bytes }: TestBlob) =>
  patch(client, last, chunked(bytes));
const patchHalf = (half: 0 | 1) => (client: Client, last: Response, blob: TestBlob) =>
  patch(client, last, halfOf(blob, half));
const close = (client: Client, last: Response, { digest }: TestBlob) => closeUpload(client, last, digest);
const closeWhole = (client: Client, last: Response, { digest, bytes }: TestBlob) =>
  closeUpload(client, last, digest, bytes);
const closeChunked = (client: Client, last: Response, { digest, bytes }: TestBlob) =>
  closeUpload(client, last, digest, chunked(bytes));
const closeWithHalf = (client: Client, last: Response, blob: TestBlob) =>
  closeUpload(client, last, blob.digest, halfOf(blob, 1));

function halfOf({ bytes }: TestBlob, half: 0 | 1): Uint8Array<ArrayBuffer> {
  const middle = Math.floor(bytes.byteLength / 2);
  return half === 0 ? bytes.slice(0, middle) : bytes.slice(middle);
}

const flows: readonly (readonly [string, Uint8Array<ArrayBuffer>, Flow])[] = [
  ["POST+PUT, small", small, steps(post, closeWhole)],
  ["POST+PUT, large", large, steps(post, closeWhole)],
  [
    "single POST, large",
    large,
    (client, { bytes, digest }) =>
      client.ask(`POST /v2/${name}/blobs/uploads/?digest=${digest}`, { body: bytes }),
  ],
  [
    "single POST in chunks",
    large,
    (client, { bytes, digest }) =>
      client.ask(`POST /v2/${name}/blobs/uploads/?digest=${digest}`, { body: chunked(bytes) }),
  ],
  ["POST+PUT in chunks", large, steps(post, closeChunked)],
  ["POST+PATCH+PUT, small: the shortcut", small, steps(post, patchAll, close)],
  ["POST+PATCH+PUT, large: a segment", large, steps(post, patchAll, close)],
  ["POST+PATCH+PUT in chunks: segments", large, steps(post, patchChunked, close)],
  ["POST+2 PATCH+PUT", large, steps(post, patchHalf(0), patchHalf(1), close)],
  ["POST+PATCH+PUT with the last chunk", large, steps(post, patchHalf(0), closeWithHalf)],
  ["parts straight to the bucket", large, (client, blob) => pushInParts(client, name, blob, 400_000)],
  [
    "mount with from",
    small,
    (client, { digest }) => client.ask(`POST /v2/${name}/blobs/uploads/?mount=${digest}&from=source`),
  ],
  [
    "mount without from",
    small,
    (client, { digest }) => client.ask(`POST /v2/${name}/blobs/uploads/?mount=${digest}`),
  ],
];

/**
 * Pushes like a client that does not give up: a 5xx means the same request again, a 416 that the bytes are there
 * and the session goes on where the answer says.
 */
async function persistentPush(client: Client, blob: TestBlob, sizes: readonly number[]): Promise<Response> {
  const persist = async (send: () => Promise<Response>): Promise<Response> => {
    const answer = await send();
    return answer.status >= 500 ? send() : answer;
  };
  let last = await persist(() => post(client));
  let sent = 0;
  for (const size of sizes) {
    const url = last;
    const chunk = blob.bytes.slice(sent, sent + size);
    last = await persist(() => patch(client, url, chunk));
    sent += size;
    expect([202, 416]).toContain(last.status);
    expect(last.headers.get("Range")).toBe(`0-${sent - 1}`);
  }
  const rest = sent === blob.bytes.byteLength ? null : blob.bytes.slice(sent);
  return persist(() => closeUpload(client, last, blob.digest, rest));
}

const worlds = [
  ["a new blob", async (_client: Client, _blob: TestBlob) => {}],
  [
    "a blob that another repository has",
    async (client: Client, blob: TestBlob) => {
      await expectStatus(pushBlob(client, "source", blob), 201);
    },
  ],
  [
    "a blob that was deleted here",
    async (client: Client, blob: TestBlob) => {
      await expectStatus(pushBlob(client, "source", blob), 201);
      await expectStatus(pushBlob(client, name, blob), 201);
      await expectStatus(client.ask(`DELETE /v2/${name}/blobs/${blob.digest}`), 202);
    },
  ],
] as const;

function world(): TestRegistry {
  // Without a configured key the upload key of the bucket takes part.
  return createTestRegistry({ config: { uploadBufferSize: 500_000, uploadKey: undefined } });
}

/** An error that the registry did not foresee, in the form of the specification and without a word about the inside. */
async function expectHonestError(answer: Response): Promise<void> {
  expect(answer.status).toBeGreaterThanOrEqual(500);
  const body = (await answer.json()) as { errors: { code: string; message: string }[] };
  expect(body.errors).toHaveLength(1);
  expect(body.errors[0]?.code).toMatch(/^(UNKNOWN|TOOMANYREQUESTS)$/);
  expect(JSON.stringify(body)).not.toMatch(/docker\/registry|R2|10001/);
}

describe.each(worlds)("with R2 failing at any operation, %s", (_, prepare) => {
  const pushes = flows.filter(([flow]) => !flow.startsWith("mount") || prepare !== worlds[0][1]);
  it.each(pushes)("%s: the answer is honest, and a retry succeeds", async (_flow, bytes, flow) => {
    const blob = await blobOf(bytes);
    const runs = await everyFault({
      prepare: async () => {
        const made = world();
        await prepare(made.client("before"), blob);
        return made;
      },
      flow: (made) => flow(made.client("faulty"), blob),
      check: async ({ world: made, outcome }) => {
        if (outcome.status === "rejected") throw outcome.reason;
        const answer = outcome.value;
        const client = made.client("after");
        if (answer.status === 201) await expectBlob(client, name, blob);
        else await expectHonestError(answer);
        expectSound(made);
        const again = await flow(client, blob);
        expect(again.status).toBe(201);
        await expectBlob(client, name, blob);
        expectSound(made);
      },
    });
    expect(runs).toBeGreaterThanOrEqual(8);
  });
});

describe("with R2 failing at any operation", () => {
  it.each([
    ["one chunk of known length", [large.byteLength]],
    ["two chunks of known length", [600_000, 500_000]],
    ["a chunk, and the last one in the PUT", [600_000]],
    ["the whole blob in the PUT", []],
  ])("a client that repeats what failed gets through: %s", async (_, sizes) => {
    const blob = await blobOf(large);
    await everyFault({
      prepare: () => createTestRegistry({ config: { uploadBufferSize: 500_000 } }),
      flow: (made) => persistentPush(made.client("faulty"), blob, sizes),
      check: async ({ world: made, outcome }) => {
        if (outcome.status === "rejected") throw outcome.reason;
        expect(outcome.value.status).toBe(201);
        await expectBlob(made.client("after"), name, blob);
        expectSound(made);
      },
    });
  });

  it("a client that goes on where a body of unknown length broke off gets through", async () => {
    const blob = await blobOf(large);
    await everyFault({
      prepare: () => createTestRegistry({ config: { uploadBufferSize: 500_000 } }),
      flow: async (made) => {
        const client = made.client("faulty");
        const started = await post(client);
        let last = await patchChunked(client, started, blob);
        if (last.status >= 500) {
          const status = await client.ask(`GET ${locationOf(started)}`);
          const range = status.headers.get("Range");
          const sent = range === "0-0" ? 0 : Number(range?.split("-")[1]) + 1;
          const rest = blob.bytes.slice(sent);
          last = rest.byteLength === 0 ? status : await patch(client, status, chunked(rest));
        }
        const answer = await close(client, last, blob);
        return answer.status >= 500 ? close(client, last, blob) : answer;
      },
      check: async ({ world: made, outcome }) => {
        if (outcome.status === "rejected") throw outcome.reason;
        expect(outcome.value.status).toBe(201);
        await expectBlob(made.client("after"), name, blob);
        expectSound(made);
      },
    });
  });

  it.each([
    ["a small chunk", small],
    ["a large chunk", large],
  ])("cancelling after %s: 204 means gone, and a retry ends it", async (_, bytes) => {
    const blob = await blobOf(bytes);
    const runs = await everyFault({
      prepare: async () => {
        const made = createTestRegistry();
        const client = made.client("before");
        return { ...made, answer: await expectStatus(patch(client, await openUpload(client), bytes), 202) };
      },
      flow: (made) => made.client("faulty").ask(`DELETE ${locationOf(made.answer)}`),
      check: async ({ world: made, outcome }) => {
        if (outcome.status === "rejected") throw outcome.reason;
        const client = made.client("after");
        if (outcome.value.status !== 204) {
          await expectHonestError(outcome.value);
          const again = await client.ask(`DELETE ${locationOf(made.answer)}`);
          expect([204, 404]).toContain(again.status);
        }
        expect((await client.ask(`GET ${locationOf(made.answer)}`)).status).toBe(404);
        expect((await closeUpload(client, made.answer, blob.digest)).status).toBe(404);
        await expectNoBlob(client, name, blob);
        expectSound(made);
      },
    });
    expect(runs).toBeGreaterThanOrEqual(6);
  });

  it("deleting a blob: 202 means gone, and a retry ends it", async () => {
    const blob = await blobOf(small);
    const runs = await everyFault({
      prepare: async () => {
        const made = createTestRegistry();
        await expectStatus(pushBlob(made.client("before"), name, blob), 201);
        await expectStatus(pushBlob(made.client("before"), "source", blob), 201);
        return made;
      },
      flow: (made) => made.client("faulty").ask(`DELETE /v2/${name}/blobs/${blob.digest}`),
      check: async ({ world: made, outcome }) => {
        if (outcome.status === "rejected") throw outcome.reason;
        const client = made.client("after");
        if (outcome.value.status !== 202) {
          await expectHonestError(outcome.value);
          const again = await client.ask(`DELETE /v2/${name}/blobs/${blob.digest}`);
          expect([202, 404]).toContain(again.status);
        }
        await expectNoBlob(client, name, blob);
        await expectBlob(client, "source", blob);
        expectSound(made);
      },
    });
    expect(runs).toBe(4);
  });

  it.each(flows.filter(([flow]) => !flow.startsWith("mount")))(
    "%s under a wrong digest stays an error, and never becomes a blob",
    async (_flow, bytes, flow) => {
      const blob = await blobOf(bytes);
      const claimed = { bytes, digest: (await blobOf("something else")).digest };
      await everyFault({
        prepare: world,
        flow: (made) => flow(made.client("faulty"), claimed),
        check: async ({ world: made, outcome }) => {
          if (outcome.status === "rejected") throw outcome.reason;
          expect(outcome.value.ok).toBe(false);
          const client = made.client("after");
          expect((await client.ask(`HEAD /v2/${name}/blobs/${claimed.digest}`)).status).toBe(404);
          expectSound(made);
          expect((await flow(client, blob)).status).toBe(201);
        },
      });
    },
  );
});
