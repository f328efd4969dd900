import { describe, expect, it } from "vitest";
import { ChunkSize } from "../../scripts/push/chunk-size.ts";
import { wantedImport } from "../../scripts/push/import.ts";
import { formatBytes, lineDisplay } from "../../scripts/push/progress.ts";
import { retryAfter } from "../../scripts/push/registry/answers.ts";
import { parseChallenge } from "../../scripts/push/registry/challenge.ts";
import {
  parseImageReference,
  printImageReference,
  registryUrl,
} from "../../scripts/push/registry/reference.ts";
import type { Digest } from "../../src/oci/digest.ts";

const digest = `sha256:${"a".repeat(64)}`;
const mebibyte = 1024 * 1024;

describe("a reference", () => {
  it.each([
    ["localhost/app", "localhost/app:latest", "http://localhost/"],
    ["localhost:5000/team/app:1", "localhost:5000/team/app:1", "http://localhost:5000/"],
    ["127.0.0.1:5000/app", "127.0.0.1:5000/app:latest", "http://127.0.0.1:5000/"],
    ["edge.example.com/team/app:1.0", "edge.example.com/team/app:1.0", "https://edge.example.com/"],
    [`edge.example.com/app@${digest}`, `edge.example.com/app@${digest}`, "https://edge.example.com/"],
    [`edge.example.com/app:1@${digest}`, `edge.example.com/app:1@${digest}`, "https://edge.example.com/"],
    ["busybox", "docker.io/library/busybox:latest", "https://registry-1.docker.io/"],
    ["docker.io/busybox", "docker.io/library/busybox:latest", "https://registry-1.docker.io/"],
    ["team/app:1", "docker.io/team/app:1", "https://registry-1.docker.io/"],
  ])("%s is %s, at %s", (text, whole, url) => {
    const reference = parseImageReference(text);
    expect(printImageReference(reference)).toBe(whole);
    expect(registryUrl(reference.host, undefined).href).toBe(url);
  });

  it.each([
    ["edge.example.com/Team/app", "is no repository name"],
    ["edge.example.com/", "is no repository name"],
    ["edge.example.com/app:", "is no tag"],
    ["edge.example.com/app:a:b", "is no tag"],
    ["edge.example.com/app@sha256:abc", "is no digest"],
    ["https://edge.example.com/app", "is no repository name"],
  ])("%s is refused", (text, message) => {
    expect(() => parseImageReference(text)).toThrow(message);
  });

  it("is reached without TLS where that is said, and with it at localhost too", () => {
    expect(registryUrl("edge.example.com", true).protocol).toBe("http:");
    expect(registryUrl("localhost:5000", false).protocol).toBe("https:");
  });
});

describe("a challenge", () => {
  it.each([
    ['Basic realm="x"', { scheme: "basic" }],
    ["Basic", { scheme: "basic" }],
    [
      'bearer realm="https://a/token",service="s",scope="repository:a:pull,push"',
      { scheme: "bearer", realm: "https://a/token", service: "s", scope: "repository:a:pull,push" },
    ],
    [
      'Basic realm="x", Bearer realm="https://a/token"',
      { scheme: "bearer", realm: "https://a/token", service: undefined, scope: undefined },
    ],
    [
      'Bearer realm="https://a/t?x=Basic , y", service=s',
      { scheme: "bearer", realm: "https://a/t?x=Basic , y", service: "s", scope: undefined },
    ],
    [
      'Bearer realm="with \\"quotes\\""',
      { scheme: "bearer", realm: 'with "quotes"', service: undefined, scope: undefined },
    ],
    ["Negotiate", undefined],
    ['Bearer service="s"', undefined],
    [undefined, undefined],
  ])("%s", (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });
});

it("Retry-After is seconds or a time", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  expect(retryAfter({ "retry-after": "7" }, now)).toBe(7000);
  expect(retryAfter({ "retry-after": "Tue, 01 Jan 2030 00:01:00 GMT" }, now)).toBe(60_000);
  expect(retryAfter({ "retry-after": "Mon, 31 Dec 2029 00:00:00 GMT" }, now)).toBe(0);
  expect(retryAfter({ "retry-after": "soon" }, now)).toBeUndefined();
  expect(retryAfter({}, now)).toBeUndefined();
});

describe("chunks", () => {
  it("are 32 MiB, or as many bytes as 500 of them need", () => {
    const chunks = new ChunkSize(undefined);
    expect(chunks.of(3e9)).toBe(32 * mebibyte);
    expect(chunks.of(100e9)).toBe(200e6);
  });

  it("are within what is announced, whatever is wanted", () => {
    const limits = { min: 5 * mebibyte, max: 95 * mebibyte };
    const sizes = [undefined, 1000, 64 * mebibyte, 200 * mebibyte].map((wanted) => {
      const chunks = new ChunkSize(wanted);
      chunks.announced(limits);
      return chunks.of(3e9) / mebibyte;
    });
    expect(sizes).toEqual([32, 5, 64, 95]);
  });

  it("become smaller: after a failure down to the announced minimum, when refused below it, to 64 KiB", () => {
    const chunks = new ChunkSize(undefined);
    chunks.announced({ min: 20 * mebibyte, max: undefined });
    expect(chunks.shrink(32 * mebibyte, false)).toBe(true);
    expect(chunks.of(3e9)).toBe(20 * mebibyte);
    expect(chunks.shrink(20 * mebibyte, false)).toBe(false);
    expect(chunks.shrink(20 * mebibyte, true)).toBe(true);
    expect(chunks.of(3e9)).toBe(10 * mebibyte);
    expect(chunks.shrink(64 * 1024, true)).toBe(false);
  });
});

it("bytes are told in units that people read", () => {
  expect([0, 1023, 1024, 1.5 * mebibyte, 3e9].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 MiB",
    "2.8 GiB",
  ]);
});

it("without a terminal a blob is a line at its end, and one now and then", () => {
  const lines: string[] = [];
  const task = lineDisplay((line) => lines.push(line)).task("layer 1/2");
  task.phase("pushing", 100);
  task.set(50);
  task.end("pushed", { digest: digest as Digest, size: 2048 });
  expect(lines).toEqual([`layer 1/2: pushed, 2.0 KiB, ${digest}`]);
});

describe("what an import wants", () => {
  it.each([
    ["ghcr.io/team/app:1", "edge.example/a", "ghcr.io/team/app", "1", ["latest"]],
    ["GHCR.io/team/app", "edge.example/a:2", "ghcr.io/team/app", "latest", ["2"]],
    ["busybox", "edge.example/a:2", "docker.io/library/busybox", "latest", ["2"]],
    ["docker.io/busybox:1", "edge.example/a:2", "docker.io/library/busybox", "1", ["2"]],
    ["edge.example/hub/team/app:1", "edge.example/a:2", "hub/team/app", "1", ["2"]],
    [`ghcr.io/team/app:1@${digest}`, "edge.example/a:2", "ghcr.io/team/app", digest, ["2"]],
    ["ghcr.io/team/app:1", `edge.example/a@${digest}`, "ghcr.io/team/app", digest, []],
  ])("of %s to %s is %s %s", (from, to, repository, reference, tags) => {
    const wanted = wantedImport(parseImageReference(from), parseImageReference(to), false);
    expect(wanted).toEqual({ repository, reference, tags, referrers: false });
  });

  it("is never one digest by the name of another", () => {
    const [from, to] = [`ghcr.io/a@${digest}`, `edge.example/a@sha256:${"b".repeat(64)}`];
    expect(() => wantedImport(parseImageReference(from), parseImageReference(to), false)).toThrow(
      "cannot be imported",
    );
  });
});
