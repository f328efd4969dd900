import { beforeEach, describe, expect, test } from "vitest";
import { expectStatus, indexOf, putManifest } from "../support/content.ts";
import { type Client, createTestRegistry } from "../support/registry.ts";
import { Browser } from "./browser.ts";
import { pushRealImage } from "./images.ts";

const name = "team/app";
let client: Client;
let browser: Browser;

beforeEach(() => {
  client = createTestRegistry().client();
  browser = new Browser(client);
});

async function pageOf(reference: string): Promise<string> {
  const { status, text } = await browser.get(`/-/repositories/${name}/-/manifests/${reference}`);
  expect(status).toBe(200);
  return text;
}

describe("an image", () => {
  const config = {
    created: "2026-11-01T10:00:00Z",
    config: {
      Entrypoint: ["/bin/app", "--serve"],
      Env: ["PATH=/bin", "MODE=prod"],
      Labels: { "org.opencontainers.image.url": "https://app.example/", maintainer: "ops" },
      User: "1000",
      WorkingDir: "/srv",
    },
    history: [
      { created_by: "ADD rootfs / " },
      { created_by: "ENV MODE=prod", empty_layer: true },
      { created_by: "COPY app /bin/app" },
    ],
  };

  test("shows its configuration, and beside each layer the step that made it", async () => {
    await pushRealImage(client, name, "1", config, ["base", "the app itself"]);
    const text = await pageOf("1");
    for (const part of ["linux/amd64", "/bin/app", "--serve", "MODE", "prod", "maintainer", "/srv", "1000"]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('href="https://app.example/"');
    const rows = text.slice(text.indexOf("<h2>Layers"), text.indexOf("<h2>Configuration"));
    expect(rows).toMatch(/ADD rootfs \/ [\s\S]*COPY app \/bin\/app/);
    expect(rows).not.toContain("ENV MODE");
  });

  test("tells no step beside layers to which the history does not fit", async () => {
    await pushRealImage(client, name, "1", config, ["one", "two", "three"]);
    const text = await pageOf("1");
    expect(text).toContain("does not fit to its layers");
    expect(text).toContain("ENV MODE=prod");
  });

  test("draws its layers to scale", async () => {
    await pushRealImage(client, name, "1", {}, ["a".repeat(100), "b".repeat(300)]);
    const [, scale = ""] = /<svg class="scale"(.*?)<\/svg>/s.exec(await pageOf("1")) ?? [];
    expect([...scale.matchAll(/ width="([\d.]+)"/g)].map(([, width]) => width)).toEqual(["250.00", "750.00"]);
  });

  test("marks the layers that other tags have too", async () => {
    await pushRealImage(client, name, "1", {}, ["base", "first"]);
    await pushRealImage(client, name, "2", {}, ["base", "second"]);
    const text = await pageOf("2");
    expect(text.match(/Shared with/g)).toHaveLength(1);
    expect(text).toContain("Shared with 1");
  });

  test("names what refers to it, with its type", async () => {
    const image = await pushRealImage(client, name, "1", {}, ["layer"]);
    const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength };
    const sbom = await pushRealImage(client, name, undefined, {}, ["sbom"], {
      subject,
      artifactType: "application/spdx+json",
    });
    const text = await pageOf("1");
    expect(text).toContain("application/spdx+json");
    expect(text).toContain(`/-/repositories/${name}/-/manifests/${sbom.digest}`);
    expect(await pageOf(sbom.digest)).toContain("Refers to");
  });

  test("whose configuration is not what it should be is shown without it", async () => {
    for (const [tag, wrong] of [
      ["types", { config: { Env: "PATH", Labels: ["x"], Entrypoint: [1] }, history: { a: 1 } }],
      ["large", { padding: "x".repeat(1024 * 1024) }],
    ] as const) {
      await pushRealImage(client, name, tag, wrong, ["layer"]);
      expect(await pageOf(tag)).toContain("Layers");
    }
    expect(await pageOf("large")).toContain("not there, too large, or not readable");
  });
});

test("what images bring is text, and what cannot be seen is written out", async () => {
  const markup = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
  const labels = { [markup]: markup, url: "javascript:alert(1)", bidi: "a\u202eb\u0000" };
  const config = {
    config: { Labels: labels, Env: [`X=${markup}`], User: markup },
    history: [{ created_by: markup }],
  };
  await pushRealImage(client, name, "1", config, ["layer"], { annotations: { [markup]: markup } });
  const text = await pageOf("1");
  expect(text).not.toMatch(/<script>|<img/);
  expect(text).not.toContain('href="javascript:');
  expect(text).toContain("⟨U+202E⟩");
  expect(text).toContain("⟨U+0000⟩");
});

test("an index shows its platforms, and its tag theirs", async () => {
  const amd64 = await pushRealImage(client, name, undefined, {}, ["amd64 layer"]);
  const arm64 = await pushRealImage(client, name, undefined, { architecture: "arm64" }, ["arm64 layer"]);
  const platforms = [
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64", variant: "v8" },
  ];
  const index = await indexOf([], {
    manifests: [amd64, arm64].map(({ mediaType, digest, bytes }, at) => ({
      mediaType,
      digest,
      size: bytes.byteLength,
      platform: platforms[at],
    })),
  });
  await expectStatus(putManifest(client, name, "multi", index), 201);
  for (const text of [await pageOf("multi"), (await browser.get(`/-/repositories/${name}`)).text]) {
    expect(text).toContain("linux/amd64");
    expect(text).toContain("linux/arm64/v8");
  }
  expect(await pageOf("multi")).toContain(`/manifests/${arm64.digest}`);
});

test("what is not there is a page that says so", async () => {
  for (const path of [`/-/repositories/${name}/-/manifests/1`, "/-/repositories/no/such"]) {
    const { status, text } = await browser.get(path);
    expect(status).toBe(404);
    expect(text).toContain("There is nothing here");
  }
});
