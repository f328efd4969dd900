import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  algorithmOf,
  digestFrom,
  digestOf,
  encodedOf,
  parseAlgorithm,
  parseDigest,
  randomDigest,
  toHex,
  tryParseDigest,
} from "../../src/oci/digest.ts";
import { utf8 } from "./documents.ts";
import { refusalOf } from "./refusal.ts";

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}`;

describe("parseDigest", () => {
  test.each([
    [sha256, "sha256"],
    [sha512, "sha512"],
  ])("OCI requirement 16: %.16s", (text, algorithm) => {
    const digest = parseDigest(text);
    expect(digest).toBe(text);
    expect(algorithmOf(digest)).toBe(algorithm);
    expect(digestFrom(algorithmOf(digest), encodedOf(digest))).toBe(text);
  });

  test.each([
    ["empty", ""],
    ["no algorithm", "0".repeat(64)],
    ["no colon", sha256.replace(":", "")],
    ["OCI requirement 17: baddigeststring", "sha256:baddigeststring"],
    ["A63: too short", sha256.slice(0, -1)],
    ["A63: too long", `${sha256}0`],
    ["A63: the length of the other algorithm", sha512.replace("sha512", "sha256")],
    ["OCI requirement 16: upper case", sha256.toUpperCase().replace("SHA", "sha")],
    ["A2: upper-case algorithm", sha256.replace("sha", "SHA")],
    ["A2: md5", `md5:${"0".repeat(32)}`],
    ["A3: sha384", `sha384:${"0".repeat(96)}`],
    ["an inherited property", `constructor:${"0".repeat(64)}`],
    ["C4: a line feed", `${sha256}\n`],
    ["C4: a leading space", ` ${sha256}`],
    ["two colons", sha256.replace("0", ":")],
    ["full-width digits", sha256.replace("0", "\u{ff10}")],
  ])("M7: refuses %s", (_, text) => {
    expect(tryParseDigest(text)).toBeUndefined();
    const { status, entries } = refusalOf(() => parseDigest(text));
    expect(status).toBe(400);
    expect(entries.map((entry) => entry.code)).toEqual(["DIGEST_INVALID"]);
  });

  test("does not echo a long text", () => {
    const { entries } = refusalOf(() => parseDigest("x".repeat(1_000_000)));
    expect(JSON.stringify(entries).length).toBeLessThan(500);
  });

  test("of any text, only what its grammar says", () => {
    const near = fc.stringMatching(/^sha(256|512):[0-9a-f]{62,66}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
        const valid = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
        expect(tryParseDigest(text)).toBe(valid ? text : undefined);
      }),
    );
  });
});

test("OCI requirement 48: algorithms", () => {
  expect(parseAlgorithm("sha256")).toBe("sha256");
  expect(parseAlgorithm("sha512")).toBe("sha512");
  expect(parseAlgorithm("sha384")).toBeUndefined();
  expect(parseAlgorithm("toString")).toBeUndefined();
});

test("FIPS 180-4: the digests of abc", async () => {
  expect(await digestOf(utf8("abc"), "sha256")).toBe(
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  expect(await digestOf(utf8("abc"), "sha512")).toBe(
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  );
});

test("hex of bytes, of a view and of a buffer", () => {
  const bytes = Uint8Array.from([0x00, 0x0f, 0xf0, 0xff]);
  expect(toHex(bytes)).toBe("000ff0ff");
  expect(toHex(bytes.buffer)).toBe("000ff0ff");
  expect(toHex(bytes.subarray(1, 3))).toBe("0ff0");
});

test("random digests are well formed and differ", () => {
  const digest = randomDigest();
  expect(tryParseDigest(digest)).toBe(digest);
  expect(randomDigest()).not.toBe(digest);
});
