import { beforeAll, describe, expect, test } from "vitest";
import type { RepositoryName, Tag } from "../../src/oci/name.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { Browser } from "./browser.ts";
import { pushRealImage } from "./images.ts";

const name = "team/app" as RepositoryName;
const here = `/-/repositories/${name}`;
const manyTags = 10_000;

/** Ours lists 100 objects with metadata at once; R2 up to 1,000. */
const perList = 100;

async function operationsOf(client: Client, path: string): Promise<Readonly<Record<string, number>>> {
  const { status, headers } = await new Browser(client).get(path);
  expect(status).toBe(200);
  const [, text = ""] = /r2;desc="([^"]*)"/.exec(headers.get("Server-Timing") ?? "") ?? [];
  return Object.fromEntries(
    [...text.matchAll(/(\w+) (\d+)/g)].map(([, kind, count]) => [kind, Number(count)]),
  );
}

describe("what pages cost in a repository of 10,000 tags", () => {
  let client: Client;

  beforeAll(async () => {
    client = createTestRegistry().client();
    for (let at = 0; at < 30; at++) {
      await pushRealImage(client, name, `image-${at}`, {}, ["base", `layer ${at}`]);
    }
    const { bucket, layout } = client.registry.store;
    const register = await bucket.get(layout.tag(name, "image-0" as Tag));
    const body = (await register?.text()) ?? "";
    for (let at = 30; at < manyTags; at++) {
      const key = layout.tag(name, `tag-${String(at).padStart(5, "0")}` as Tag);
      await bucket.put(key, body, { customMetadata: register?.customMetadata ?? {} });
    }
  });

  test("by name: one list, and the manifests and configurations of 25 tags", async () => {
    expect(await operationsOf(client, `${here}?sort=name`)).toEqual({ list: 1, head: 50, get: 50 });
  });

  test("by time: the lists of 10,000 tags besides", async () => {
    expect(await operationsOf(client, here)).toMatchObject({ list: manyTags / perList });
  });

  test("by size: the newest 100 tags, most of which are one manifest here", async () => {
    const { list = 0, head = 0, get = 0 } = await operationsOf(client, `${here}?sort=size`);
    expect(list).toBe(manyTags / perList);
    expect(head + get).toBeLessThanOrEqual(400 + 100);
  });

  test("an image: itself, its configuration, its referrers, and 20 other tags", async () => {
    const { list = 0, head = 0, get = 0 } = await operationsOf(client, `${here}/-/manifests/image-7`);
    expect(list).toBeLessThanOrEqual(13);
    expect(head + get).toBeLessThanOrEqual(60);
  });

  test("a confirmation: the tags that ever named the manifest, 100 at most", async () => {
    expect(await operationsOf(client, `${here}/-/manifests/image-7/delete`)).toEqual({ list: 1, head: 2 });
    expect(await operationsOf(client, `${here}/-/delete`)).toEqual({ list: 1000 / perList + 2 });
  });

  test("storage: a list for the catalog, and one for each repository", async () => {
    expect(await operationsOf(client, "/-/storage")).toEqual({ list: 2 });
  });
});

test("a repository of more tags than can be sorted is shown by name, and says so", async () => {
  const client = createTestRegistry().client();
  await pushRealImage(client, name, "first", {}, ["layer"]);
  const { bucket, layout } = client.registry.store;
  // Tombstones are no tags, but are listed all the same.
  for (let at = 0; at < 121 * perList; at++) {
    const key = layout.tag(name, `gone-${String(at).padStart(5, "0")}` as Tag);
    await bucket.put(key, "", { customMetadata: { state: "tombstone", at: "1" } });
  }
  const { text } = await new Browser(client).get(here);
  expect(text).toContain("There are too many tags to sort them otherwise.");
});
