import { describe, expect, test } from "vitest";
import { descriptorOf, hasDigest, readDescriptor } from "../../src/oci/descriptor.ts";
import { refuse } from "../../src/oci/json-field.ts";
import { descriptor, digest } from "./documents.ts";
import { refusalOf } from "./refusal.ts";

const full = {
  ...descriptor(7),
  urls: ["https://example.com/7"],
  annotations: { a: "b" },
  artifactType: "application/vnd.example",
  platform: { architecture: "arm64", os: "linux", variant: "v8", "os.features": ["x"] },
  data: "e30=",
};

describe("readDescriptor", () => {
  test("OCI requirement 78: every field of the specification", () => {
    expect(readDescriptor(full, "config", refuse)).toEqual(full);
  });

  test("OCI requirement 77: unknown fields are left out", () => {
    expect(readDescriptor({ ...descriptor(7), custom: [] }, "config", refuse)).toEqual(descriptor(7));
  });

  test("D3: absent and null fields are empty", () => {
    const nothing = { mediaType: "", digest: "", size: 0 };
    expect(readDescriptor({}, "config", refuse)).toEqual(nothing);
    expect(readDescriptor({ mediaType: null, urls: null, platform: null }, "config", refuse)).toEqual(
      nothing,
    );
  });

  test.each([
    ["x", "config: a descriptor expected"],
    [[], "config: a descriptor expected"],
    [{ mediaType: 1 }, "config.mediaType: a string expected"],
    [{ digest: {} }, "config.digest: a string expected"],
    [{ size: -1 }, "config.size: an integer from 0 to 9007199254740991 expected"],
    [{ size: 1.5 }, "config.size: an integer from 0 to 9007199254740991 expected"],
    [{ size: "1" }, "config.size: an integer from 0 to 9007199254740991 expected"],
    [{ size: 2 ** 53 }, "config.size: an integer from 0 to 9007199254740991 expected"],
    [{ urls: "https://example.com" }, "config.urls: an array of strings expected"],
    [{ urls: [1] }, "config.urls: an array of strings expected"],
    [{ annotations: { a: 1 } }, "config.annotations: an object of strings expected"],
    [{ annotations: [] }, "config.annotations: an object of strings expected"],
    [{ artifactType: [] }, "config.artifactType: a string expected"],
    [
      { platform: "linux/amd64" },
      "config.platform: an object with strings architecture, os and variant expected",
    ],
    [
      { platform: { os: 1 } },
      "config.platform: an object with strings architecture, os and variant expected",
    ],
    [{ data: 1 }, "config.data: a string expected"],
  ])("A56: refuses %j", (value, detail) => {
    const { status, entries } = refusalOf(() => readDescriptor(value, "config", refuse));
    expect(status).toBe(400);
    expect(entries).toEqual([{ code: "MANIFEST_INVALID", message: "manifest invalid", detail }]);
  });
});

test.each([
  [digest(1), true],
  [`sha512:${"a".repeat(128)}`, true],
  [`sha384:${"a".repeat(96)}`, false],
  ["sha256:zz", false],
  ["", false],
])("A62, A63: %j has a digest: %s", (text, expected) => {
  expect(hasDigest({ ...descriptor(1), digest: text })).toBe(expected);
});

describe("descriptorOf", () => {
  test("gives what was written", () => {
    expect(descriptorOf(full)).toEqual(full);
  });

  test("leaves faulty fields out", () => {
    expect(
      descriptorOf({ digest: digest(1), size: -1, urls: [1], platform: 1, annotations: { a: 1 } }),
    ).toEqual({
      mediaType: "",
      digest: digest(1),
      size: 0,
    });
  });

  test.each([undefined, null, "x", [], {}, { ...full, digest: "sha256:zz" }])("%j is none", (value) => {
    expect(descriptorOf(value)).toBeUndefined();
  });
});
