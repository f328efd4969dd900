import { describe, expect, it } from "vitest";
import { parseChallenges } from "../../../src/upstream/challenge.ts";

function read(header: string) {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe("challenges", () => {
  it.each([
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      [
        [
          "bearer",
          {
            realm: "https://auth.example/token",
            service: "registry.example",
            scope: "repository:a/b:pull,push",
          },
        ],
      ],
    ],
    ['Basic realm="a, b"', [["basic", { realm: "a, b" }]]],
    [
      'BEARER Realm=x , basic realm="y"',
      [
        ["bearer", { realm: "x" }],
        ["basic", { realm: "y" }],
      ],
    ],
    [
      'Negotiate, Basic realm="y"',
      [
        ["negotiate", {}],
        ["basic", { realm: "y" }],
      ],
    ],
    [
      'Negotiate abc==, Bearer realm="y"',
      [
        ["negotiate", {}],
        ["bearer", { realm: "y" }],
      ],
    ],
    ['Bearer realm="a\\"b\\\\c"', [["bearer", { realm: 'a"b\\c' }]]],
    ['Bearer realm = "spaced" ,, service=s', [["bearer", { realm: "spaced", service: "s" }]]],
    ['Bearer realm="not closed', [["bearer", {}]]],
    ["", []],
    ["@", []],
  ])("%s", (header, expected) => {
    expect(read(header)).toEqual(expected);
  });

  it("take time linear in a hostile header's length", () => {
    expect(parseChallenges(`Bearer ${"a=b,".repeat(20_000)}`)).toHaveLength(1);
    expect(parseChallenges(`${'a "'.repeat(20_000)}`).length).toBeLessThan(5);
  });
});
