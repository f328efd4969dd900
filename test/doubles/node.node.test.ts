import { expect, it } from "vitest";
import { createDoubles } from "./doubles.ts";

it("runs in plain Node, where there is no simulator", async () => {
  const { r2, kv } = createDoubles();
  const bucket = r2.actor("one");
  await bucket.put("a/1", new Blob(["hello"]), { sha256: "0".repeat(64) }).catch((error: Error) => {
    expect(error.message).toMatch(/\(10037\)$/);
  });
  expect(await bucket.head("a/1")).toBeNull();
  const put = await bucket.put("a/1", new Response("hello").body, { onlyIf: { etagDoesNotMatch: "*" } });
  expect(put?.etag).toBe("5d41402abc4b2a76b9719d911017c592");
  expect(await (await bucket.get("a/1", { range: { suffix: 2 } }))?.text()).toBe("lo");
  expect((await bucket.list({ delimiter: "/" })).delimitedPrefixes).toEqual(["a/"]);
  await kv.actor("one").put("t", "v", { metadata: { digest: "d" } });
  expect(await kv.actor("one").getWithMetadata("t")).toMatchObject({ value: "v", metadata: { digest: "d" } });
});
