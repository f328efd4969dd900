import { beforeAll, describe, expect, it } from "vitest";
import { ociManifest } from "../../src/oci/media-type.ts";
import { expectStatus, noise } from "../support/content.ts";
import { Target } from "./target.ts";

let target: Target;
beforeAll(async () => {
  target = await Target.create();
});

const values = [
  "",
  ",",
  ";",
  '"',
  '"",',
  "*",
  "-",
  "=",
  "\u00e9\u00ff",
  "\t",
  "-1",
  "1e9",
  "NaN",
  "0x10",
  "99999999999999999999",
  "0-",
  "0-99999999999999999999",
  "bytes=",
  "bytes=-",
  "bytes=0-,",
  "bytes=0-0,".repeat(2_000),
  "bytes 0-1/2",
  "W/",
  `W/"sha256:${"0".repeat(64)}`,
  "application/",
  "/json",
  "application/json; charset",
  `${ociManifest};`.repeat(500),
  "a/b;q=0,".repeat(2_000),
  "x".repeat(50_000),
  '"'.repeat(50_000),
  "Basic ",
  "Bearer x.y.z",
  "https://example.com",
];

describe("headers of a read", () => {
  const names = [
    "Accept",
    "If-None-Match",
    "If-Match",
    "If-Modified-Since",
    "Range",
    "If-Range",
    "Accept-Encoding",
  ];

  it.each(names)("%s", async (name) => {
    const blob = await expectStatus(target.client.ask("GET /v2/app/manifests/1"), 200);
    const { config } = await blob.json<{ config: { digest: string } }>();
    for (const value of values) {
      const headers = { [name]: value };
      for (const method of ["GET", "HEAD"]) {
        const manifest = await target.send(`${method} /v2/app/manifests/1`, { headers });
        expect([200, 304, 404], value).toContain(manifest.status);
        const answer = await target.send(`${method} /v2/app/blobs/${config.digest}`, { headers });
        expect([200, 206, 304, 416], value).toContain(answer.status);
        const list = await target.send(`${method} /v2/app/tags/list`, { headers });
        expect(list.status).toBe(200);
      }
    }
  });
});

describe("headers of a write", () => {
  it.each(["Content-Type", "If-Match", "If-None-Match", "Content-Encoding", "Content-Range", "Expect"])(
    "%s of a manifest",
    async (name) => {
      const { bytes, mediaType } = target.image;
      for (const value of values) {
        const headers = { "Content-Type": mediaType, [name]: value };
        const answer = await target.send("PUT /v2/app/manifests/1", { headers, body: bytes });
        expect([201, 400, 412], value).toContain(answer.status);
      }
    },
  );

  it.each(["Content-Type", "Content-Range", "Content-Encoding"])("%s of a chunk", async (name) => {
    for (const value of values) {
      const opened = await expectStatus(target.client.ask("POST /v2/app/blobs/uploads/"), 202);
      const location = opened.headers.get("Location");
      const answer = await target.send(`PATCH ${location}`, { headers: { [name]: value }, body: noise(10) });
      expect([202, 400, 416], value).toContain(answer.status);
      await expectStatus(target.client.ask(`DELETE ${location}`), 204);
    }
  });
});

it("X-Forwarded headers do not get into a Location", async () => {
  for (const value of [...values, "evil.example", "javascript"]) {
    const headers = { "X-Forwarded-Host": value, "X-Forwarded-Proto": value, Forwarded: `host=${value}` };
    const answer = await target.send("POST /v2/app/blobs/uploads/", { headers });
    expect(answer.headers.get("Location")).toMatch(/^https:\/\/registry\.example\/v2\/app\/blobs\/uploads\//);
  }
});
