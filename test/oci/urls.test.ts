import { describe, expect, test } from "vitest";
import { allowsUrl, anyUrl, createUrlPolicy } from "../../src/oci/urls.ts";

describe("D6: without configuration", () => {
  test.each([
    ["https://example.com/layer", true],
    ["http://127.0.0.1:8080/a?b=c", true],
    ["HTTPS://EXAMPLE.COM/", true],
    ["https://example.com/layer#part", false],
    ["https://example.com/layer#", false],
    ["ftp://example.com/layer", false],
    ["file:///etc/passwd", false],
    ["javascript:alert(1)", false],
    ["//example.com/layer", false],
    ["/layer", false],
    ["https://", false],
    ["https:example.com", false],
    ["https://exa mple.com", false],
    [" https://example.com", false],
    ["https://example.com\n", false],
    ["https://[::1", false],
    ["", false],
  ])("%j: %s", (url, expected) => {
    expect(allowsUrl(anyUrl, url)).toBe(expected);
  });
});

describe("D6: allow and deny", () => {
  const example = "^https?://[^/]*\\.example\\.com/";
  test.each([
    ["allow", [example], [], "https://a.example.com/x", true],
    ["allow, another host", [example], [], "https://a.example.org/x", false],
    ["allow, the second of two", ["^ftp:", example], [], "https://a.example.com/x", true],
    ["deny", [], ["/secret/"], "https://a.example.com/secret/x", false],
    ["D.3: deny alone allows the rest", [], ["/secret/"], "https://a.example.org/x", true],
    ["deny outweighs allow", [example], ["/secret/"], "https://a.example.com/secret/x", false],
    ["unanchored", ["ample"], [], "https://a.example.com/x", true],
    ["scheme all the same", [".*"], [], "ftp://a.example.com/x", false],
  ])("%s", (_, allow, deny, url, expected) => {
    expect(allowsUrl(createUrlPolicy(allow, deny), url)).toBe(expected);
  });

  test("D.3: a faulty expression is an error of the configuration", () => {
    expect(() => createUrlPolicy(["("], [])).toThrow(SyntaxError);
    expect(() => createUrlPolicy([], ["["])).toThrow(SyntaxError);
  });
});
