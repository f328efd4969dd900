import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../doubles/clock.ts";
import { internals } from "../support/answers.ts";
import { expectStatus, pushImage, putManifest } from "../support/content.ts";
import { type Client, createClient, createTestRegistry } from "../support/registry.ts";

const digest = `sha256:${"0".repeat(64)}`;
const values = [
  "",
  "%00",
  "%0d%0aX:%20x",
  "%ff%fe",
  "%zz",
  "/",
  "..%2f..%2f",
  "%F0%9F%90%B3",
  "%ED%A0%80",
  "-1",
  "0x10",
  "NaN",
  "%EF%BC%91",
  "1,2",
  "x".repeat(5_000),
  "%E2%82%AC".repeat(1_500),
  "{}",
  "a&last=b&n=1",
];

const reads = [
  "GET /v2/_catalog?last=",
  "GET /v2/_catalog?n=",
  "GET /v2/app/tags/list?last=",
  "GET /v2/app/tags/list?n=",
  `GET /v2/app/referrers/${digest}?artifactType=`,
  `GET /v2/app/referrers/${digest}?last=`,
  `GET /v2/app/referrers/${digest}?n=`,
  "GET /v2/app/manifests/1?ns=",
  "GET /v2/app/manifests/1?",
];

const writes = [
  "POST /v2/app/blobs/uploads/?mount=",
  `POST /v2/app/blobs/uploads/?mount=${digest}&from=`,
  "POST /v2/app/blobs/uploads/?digest=",
  "POST /v2/app/blobs/uploads/?digest-algorithm=",
  "PATCH /v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0?state=",
  `PUT /v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0?digest=${digest}&state=`,
  "DELETE /v2/app/blobs/uploads/02556531-b925-4953-bcf8-b7710379bab0?state=",
];

// The simulators have their own mind on what a key or a place in a listing may be.
describe.each([
  ["the doubles", () => createTestRegistry().client()],
  [
    "the simulators",
    () => createClient({ bucket: env.BUCKET, kv: env.TAGS, clock: new VirtualClock({ automatic: true }) }),
  ],
])("parameters, over %s", (_, open) => {
  let client: Client;
  let image: Awaited<ReturnType<typeof pushImage>>;
  beforeAll(async () => {
    await reset();
    client = open();
    image = await pushImage(client, "app", "1", "image");
  });

  async function alive(): Promise<void> {
    const list = await expectStatus(client.ask("GET /v2/app/tags/list"), 200);
    expect(await list.json()).toEqual({ name: "app", tags: ["1"] });
  }

  it.each(reads)("%s", async (request) => {
    for (const value of values) {
      const answer = await client.ask(request + value);
      const text = await answer.text();
      expect([200, 400], `${request}${value}: ${text}`).toContain(answer.status);
      expect(text).not.toMatch(internals);
    }
    await alive();
  });

  it.each(writes)("%s", async (request) => {
    for (const value of values) {
      const answer = await client.ask(request + value, { body: "body" });
      expect([202, 400, 404], `${request}${value}`).toContain(answer.status);
      expect(await answer.text()).not.toMatch(internals);
    }
    await alive();
  });

  it("?tag= beside a digest", async () => {
    const isTag = (value: string) => /^\w[\w.-]{0,127}(&|$)/.test(value);
    for (const value of values.filter((each) => !isTag(each))) {
      const answer = await putManifest(client, "app", `${image.digest}?tag=${value}`, image);
      expect(answer.status, value).toBe(400);
    }
    await alive();
  });
});
