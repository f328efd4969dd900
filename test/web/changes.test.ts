import { beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { parseTagPatterns } from "../../src/storage/tag-pattern.ts";
import { type AuthWorld, createAuthWorld } from "../auth/world.ts";
import { pushImage, type TestManifest } from "../support/content.ts";
import { Browser } from "./browser.ts";

const name = "team/app";
const here = `/-/repositories/${name}`;
let world: AuthWorld;
let one: TestManifest;
let two: TestManifest;

beforeEach(async () => {
  world = await createAuthWorld();
  const root = world.as(world.accounts.root);
  one = await pushImage(root, name, "1", "one");
  await pushImage(root, name, "latest", "one");
  two = await pushImage(root, name, "latest", "two");
});

async function signedIn(account: keyof AuthWorld["accounts"], overrides = {}): Promise<Browser> {
  const client = world.registry.client(`browser of ${account}`, { ...world.config, ...overrides });
  const browser = new Browser(client);
  expect((await browser.signIn(world.accounts[account])).status).toBe(303);
  return browser;
}

async function digestOf(reference: string): Promise<string | null> {
  const answer = await world.as(world.accounts.root).ask(`HEAD /v2/${name}/manifests/${reference}`);
  return answer.headers.get("Docker-Content-Digest");
}

describe("history", () => {
  test("leads back to an earlier digest", async () => {
    const browser = await signedIn("writer");
    const { text } = await browser.get(`${here}/-/tags/latest/history`);
    expect(text).toContain(`value="${one.digest}"`);
    expect(text).not.toContain(`value="${two.digest}"`);
    const answer = await browser.post(`${here}/-/tags/latest/restore`, { digest: one.digest });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `${here}/-/tags/latest/history`]);
    expect(await digestOf("latest")).toBe(one.digest);
  });

  test("only shows to who may not push", async () => {
    const browser = await signedIn("reader");
    expect((await browser.get(`${here}/-/tags/latest/history`)).text).not.toContain("Restore");
    expect((await browser.post(`${here}/-/tags/latest/restore`, { digest: one.digest })).status).toBe(403);
    expect(await digestOf("latest")).toBe(two.digest);
  });

  test("keeps immutable tags where they are", async () => {
    const immutableTags = parseTagPatterns(["*:*"]);
    const browser = await signedIn("writer", { immutableTags });
    const answer = await browser.post(`${here}/-/tags/latest/restore`, { digest: one.digest });
    expect(answer.status).toBe(409);
  });
});

describe("deleting", () => {
  test("a tag says what stays, and takes the tag alone", async () => {
    const browser = await signedIn("cleaner");
    await pushImage(world.as(world.accounts.root), name, "also", "one");
    const { text } = await browser.get(`${here}/-/manifests/1/delete`);
    expect(text).toContain("These tags name it too, and stay: also.");
    expect((await browser.post(`${here}/-/manifests/1/delete`)).status).toBe(303);
    expect(await digestOf("1")).toBeNull();
    expect(await digestOf(one.digest)).toBe(one.digest);
  });

  test("a manifest names the tags that go, and not those that have moved on", async () => {
    const browser = await signedIn("cleaner");
    const { text } = await browser.get(`${here}/-/manifests/${one.digest}/delete`);
    expect(text).toContain("These tags go with it: 1.");
    expect((await browser.post(`${here}/-/manifests/${one.digest}/delete`)).status).toBe(303);
    expect([await digestOf("1"), await digestOf(one.digest)]).toEqual([null, null]);
    expect(await digestOf("latest")).toBe(two.digest);
  });

  test("a manifest with more tags than one request removes goes on with the next", async () => {
    const root = world.as(world.accounts.root);
    for (let at = 0; at < 40; at++) await pushImage(root, name, `many-${at}`, "one");
    const browser = await signedIn("cleaner", { operationsPerRequest: 100 });
    const path = `${here}/-/manifests/${one.digest}/delete`;
    const first = await browser.post(path);
    expect(first.status).toBe(200);
    expect(first.text).toMatch(/\d+ tags left/);
    let answer = first;
    for (let round = 0; round < 10 && answer.status === 200; round++) answer = await browser.post(path);
    expect(answer.status).toBe(303);
    expect(await digestOf("many-39")).toBeNull();
  });

  test("a repository takes as many bounded steps as it needs", async () => {
    const root = world.as(world.accounts.root);
    for (let at = 0; at < 30; at++) await pushImage(root, name, `tag-${at}`, `image ${at}`);
    const browser = await signedIn("cleaner", { operationsPerRequest: 250 });
    const asked = await browser.get(`${here}/-/delete`);
    expect(asked.text).toContain("32 tags and 32 manifests");
    let steps = 1;
    let answer = await browser.post(`${here}/-/delete`);
    for (; answer.text.includes("Go on") && steps < 30; steps++)
      answer = await browser.post(`${here}/-/delete`);
    expect(answer.text).toContain("team/app is empty");
    expect(steps).toBeGreaterThan(1);
    const list = await root.ask(`GET /v2/${name}/tags/list`);
    expect(await list.json()).toMatchObject({ tags: [] });
    for (const digest of [one.digest, two.digest]) expect(await digestOf(digest)).toBeNull();
    expect((await browser.post(`${here}/-/delete`)).text).toContain("team/app is empty");
  });

  test.each([
    ["reader", {}, 403],
    ["writer", {}, 403],
    ["cleaner", { readOnly: true }, 405],
    ["cleaner", { deleteEnabled: false }, 405],
  ] as const)("is neither offered to nor done for the %s with %j", async (account, overrides, status) => {
    const browser = await signedIn(account, overrides);
    expect((await browser.get(here)).text).not.toContain("Delete");
    for (const path of [`${here}/-/manifests/1/delete`, `${here}/-/delete`]) {
      expect((await browser.get(path)).status).toBe(status);
      expect((await browser.post(path)).status).toBe(status);
    }
    expect(await digestOf("1")).toBe(one.digest);
  });

  test("is neither offered nor done in a mirror of another registry", async () => {
    const { upstreams } = readConfig({
      UPSTREAMS: JSON.stringify([{ prefix: "team", url: "https://up.example" }]),
    });
    const browser = await signedIn("root", { upstreams });
    const { text } = await browser.get(here);
    expect(text).toContain("Mirrors another registry");
    expect(text).not.toContain(`${here}/-/delete`);
    expect((await browser.post(`${here}/-/manifests/1/delete`)).status).toBe(405);
    expect((await browser.post(`${here}/-/tags/latest/restore`, { digest: one.digest })).status).toBe(405);
  });
});
