import { describe, expect, test } from "vitest";
import { ociIndex } from "../../src/oci/media-type.ts";
import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushBlob,
  pushImage,
  putManifest,
} from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";

interface TagList {
  readonly name: string;
  readonly tags: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The target of `Link: <target>; rel="next"`. */
function nextOf(answer: Response): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("Link") ?? "")?.[1];
}

async function tagsOf(
  client: Client,
  query: string,
): Promise<{ tags: readonly string[]; next: string | undefined }> {
  const answer = await expectStatus(client.ask(`GET /v2/app/tags/list${query}`), 200);
  return { tags: (await answer.json<TagList>()).tags, next: nextOf(answer) };
}

const inOrder = ["1", "1-alpine", "1.0", "10", "B", "_u", "a"];

async function tagged(): Promise<Client> {
  const client = createTestRegistry().client();
  const image = await pushImage(client, "app", "a", "one");
  for (const tag of [...inOrder].reverse()) await expectStatus(putManifest(client, "app", tag, image), 201);
  return client;
}

describe("tags/list", () => {
  test("87, 88: names the repository; empty when its last tag is gone", async () => {
    const client = createTestRegistry().client();
    await pushImage(client, "app", "1", "a");
    const list = await expectStatus(client.ask("GET /v2/app/tags/list"), 200);
    expect(await list.json()).toEqual({ name: "app", tags: ["1"] });
    await expectStatus(client.ask("DELETE /v2/app/manifests/1"), 202);
    const empty = await expectStatus(client.ask("GET /v2/app/tags/list"), 200);
    expect(await empty.json()).toEqual({ name: "app", tags: [] });
  });

  test("89: in ASCII order", async () => {
    expect(await tagsOf(await tagged(), "")).toEqual({ tags: inOrder, next: undefined });
  });

  test("90, 91, 92: exactly n while there are more, and a Link to them", async () => {
    const client = await tagged();
    const pages: (readonly string[])[] = [];
    for (let next: string | undefined = "?n=3"; next !== undefined; ) {
      const page = await tagsOf(client, next.replace(/^[^?]*/, ""));
      pages.push(page.tags);
      next = page.next;
    }
    expect(pages).toEqual([inOrder.slice(0, 3), inOrder.slice(3, 6), inOrder.slice(6)]);
    expect(await tagsOf(client, "?n=7")).toEqual({ tags: inOrder, next: undefined });
    expect(await tagsOf(client, "?n=100000")).toEqual({ tags: inOrder, next: undefined });
  });

  test("93: n=0 is an empty list without a Link", async () => {
    expect(await tagsOf(await tagged(), "?n=0")).toEqual({ tags: [], next: undefined });
  });

  test.each(inOrder.map((tag, index) => [tag, inOrder.slice(index + 1)] as const))(
    "94, 95: last=%s alone gives all tags after it",
    async (last, rest) => {
      expect(await tagsOf(await tagged(), `?last=${last}`)).toEqual({ tags: rest, next: undefined });
    },
  );

  test("94: last need not be a tag", async () => {
    expect((await tagsOf(await tagged(), "?last=1.00&n=2")).tags).toEqual(["10", "B"]);
  });

  test("96: of a repository that does not exist it is a 404 NAME_UNKNOWN", async () => {
    const answer = await expectStatus(createTestRegistry().client().ask("GET /v2/app/tags/list"), 404);
    expect(await answer.json()).toMatchObject({ errors: [{ code: "NAME_UNKNOWN" }] });
  });
});

describe("referrers", () => {
  const subject = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"a".repeat(64)}`,
    size: 1,
  };
  const path = `/v2/app/referrers/${subject.digest}`;

  async function pushReferrer(client: Client, more: object) {
    const config = await blobOf("{}");
    await pushBlob(client, "app", config);
    const image = await imageOf(config, [], { subject, ...more });
    const answer = await expectStatus(putManifest(client, "app", image.digest, image), 201);
    expect(answer.headers.get("OCI-Subject")).toBe(subject.digest);
    return image;
  }

  async function referrersOf(client: Client, query = ""): Promise<readonly Descriptor[]> {
    const answer = await expectStatus(client.ask(`GET ${path}${query}`), 200);
    return (await answer.json<{ manifests: Descriptor[] }>()).manifests;
  }

  test("97, 98, 100, 106: of an unknown subject they are an empty image index", async () => {
    const answer = await expectStatus(createTestRegistry().client().ask(`GET ${path}`), 200);
    expect(answer.headers.get("Content-Type")).toBe(ociIndex);
    expect(await answer.json()).toEqual({ schemaVersion: 2, mediaType: ociIndex, manifests: [] });
  });

  test("99: of what is no digest they are a 400", async () => {
    await expectStatus(createTestRegistry().client().ask("GET /v2/app/referrers/latest"), 400);
    await expectStatus(createTestRegistry().client().ask("GET /v2/app/referrers/sha256:abc"), 400);
  });

  test("101, 102, 103, 105, 110: descriptors say type, size, artifact type and annotations", async () => {
    const client = createTestRegistry().client();
    const annotations = { "org.example.note": "ü" };
    const typed = await pushReferrer(client, { artifactType: "application/vnd.example.sbom", annotations });
    const untyped = await pushReferrer(client, {});
    const descriptors = await referrersOf(client);
    expect(descriptors).toHaveLength(2);
    expect(descriptors).toContainEqual({
      mediaType: typed.mediaType,
      digest: typed.digest,
      size: typed.bytes.length,
      artifactType: "application/vnd.example.sbom",
      annotations,
    });
    expect(descriptors).toContainEqual({
      mediaType: untyped.mediaType,
      digest: untyped.digest,
      size: untyped.bytes.length,
      artifactType: "application/vnd.oci.image.config.v1+json",
    });
  });

  test("104: an index without artifactType is listed without one", async () => {
    const client = createTestRegistry().client();
    const index = await indexOf([], { subject });
    await expectStatus(putManifest(client, "app", index.digest, index), 201);
    expect(await referrersOf(client)).toEqual([
      { mediaType: ociIndex, digest: index.digest, size: index.bytes.length },
    ]);
  });

  test("107, 108, 109: pages keep the filter, stay under 4 MiB and repeat nothing", async () => {
    const client = createTestRegistry().client();
    const wanted = new Set<string>();
    for (let index = 0; index < 130; index++) {
      const artifactType = `application/vnd.example.${index % 2 === 0 ? "even" : "odd"}`;
      const annotations = { index: String(index), padding: "x".repeat(70_000) };
      const { digest } = await pushReferrer(client, { artifactType, annotations });
      if (index % 2 === 0) wanted.add(digest);
    }
    const seen: string[] = [];
    let pages = 0;
    for (
      let next: string | undefined = `${path}?artifactType=application%2Fvnd.example.even`;
      next !== undefined;
    ) {
      const answer = await expectStatus(client.ask(`GET ${next}`), 200);
      expect(answer.headers.get("OCI-Filters-Applied")).toBe("artifactType");
      const text = await answer.text();
      expect(text.length).toBeLessThan(4 * 1024 * 1024);
      const { manifests } = JSON.parse(text) as { manifests: Descriptor[] };
      seen.push(...manifests.map(({ digest }) => digest));
      next = nextOf(answer);
      pages++;
    }
    expect(pages).toBeGreaterThan(1);
    expect(seen).toHaveLength(wanted.size);
    expect(new Set(seen)).toEqual(wanted);
  });

  test("114: a referrer that is deleted is listed no more", async () => {
    const client = createTestRegistry().client();
    const [gone, kept] = [
      await pushReferrer(client, { annotations: { n: "1" } }),
      await pushReferrer(client, {}),
    ];
    await expectStatus(client.ask(`DELETE /v2/app/manifests/${gone.digest}`), 202);
    expect((await referrersOf(client)).map(({ digest }) => digest)).toEqual([kept.digest]);
  });

  test("113: the tag of the fallback scheme is a tag, also for sha512", async () => {
    const client = createTestRegistry().client();
    const long = (await blobOf("subject", "sha512")).digest;
    await pushImage(client, "app", long.slice(0, "sha512:".length + 64).replace(":", "-"), "a");
  });
});
