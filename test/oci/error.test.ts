import { describe, expect, test } from "vitest";
import { errorEntry, RegistryError, retryLater } from "../../src/oci/error.ts";

describe("RegistryError", () => {
  test.each([
    ["BLOB_UNKNOWN", 404],
    ["BLOB_UPLOAD_INVALID", 400],
    ["BLOB_UPLOAD_UNKNOWN", 404],
    ["DENIED", 403],
    ["DIGEST_INVALID", 400],
    ["MANIFEST_BLOB_UNKNOWN", 400],
    ["MANIFEST_INVALID", 400],
    ["MANIFEST_UNKNOWN", 404],
    ["NAME_INVALID", 400],
    ["NAME_UNKNOWN", 404],
    ["SIZE_INVALID", 400],
    ["TOOMANYREQUESTS", 429],
    ["UNAUTHORIZED", 401],
    ["UNSUPPORTED", 405],
    ["UNKNOWN", 500],
  ] as const)("OCI requirement 127: %s is %i", (code, status) => {
    const error = new RegistryError(code);
    expect(error.status).toBe(status);
    expect(error.headers).toEqual({});
    expect(error.entries).toEqual([{ code, message: expect.stringMatching(/./) }]);
  });

  test("options", () => {
    const cause = new Error("inside");
    const headers = { Allow: "GET" };
    const error = new RegistryError("DENIED", { status: 409, message: "no", detail: "why", headers, cause });
    expect(error).toMatchObject({ status: 409, headers, cause, message: "DENIED: no" });
    expect(error.entries).toEqual([{ code: "DENIED", message: "no", detail: "why" }]);
  });

  test("P9, A61: several entries, the first of which decides the status", () => {
    const entries = [errorEntry("MANIFEST_UNKNOWN"), errorEntry("DENIED", "x")] as const;
    const error = RegistryError.of([...entries]);
    expect(error.status).toBe(404);
    expect(error.entries).toEqual(entries);
    expect(RegistryError.of([...entries], { status: 400 }).status).toBe(400);
  });
});

test("P10: a detail is left out when unset, not when it is empty", () => {
  expect("detail" in errorEntry("DENIED")).toBe(false);
  expect(errorEntry("DENIED", "")).toHaveProperty("detail", "");
  expect(errorEntry("DENIED", null)).toHaveProperty("detail", null);
});

test("OCI requirement 7: retryLater says when", () => {
  const error = retryLater(7, "busy");
  expect(error).toMatchObject({ status: 503, headers: { "Retry-After": "7" } });
  expect(error.entries).toEqual([{ code: "TOOMANYREQUESTS", message: "busy" }]);
});
