import { describe, expect, it } from "vitest";
import { parseRepositoryName } from "../../../src/oci/name.ts";
import { parseUpstreamCredentials, parseUpstreams } from "../../../src/upstream/upstream.ts";
import { isAllowed, Upstreams } from "../../../src/upstream/upstreams.ts";

const upstreams = new Upstreams(
  parseUpstreams(
    JSON.stringify([
      { prefix: "docker.io", url: "https://registry-1.docker.io", hosts: ["hub.example.com"] },
      { prefix: "ghcr.io", url: "https://ghcr.io", allow: ["open/*"], deny: ["open/secret*"] },
      { prefix: "ghcr.io/inner", url: "https://inner.example.com" },
    ]),
  ),
  false,
);

describe("whose a name is", () => {
  it.each([
    ["https://r.example/v2/team/app/manifests/1", "/v2/team/app/manifests/1"],
    ["https://r.example/v2/docker.io/library/alpine/manifests/3", "/v2/docker.io/library/alpine/manifests/3"],
    ["https://r.example/v2/docker.io/alpine/manifests/3", "/v2/docker.io/library/alpine/manifests/3"],
    ["https://r.example/v2/docker.io/alpine/blobs/uploads/", "/v2/docker.io/library/alpine/blobs/uploads/"],
    ["https://r.example/v2/docker.io/grafana/tempo/tags/list", "/v2/docker.io/grafana/tempo/tags/list"],
    ["https://hub.example.com/v2/alpine/tags/list", "/v2/docker.io/library/alpine/tags/list"],
    ["https://hub.example.com/v2/docker.io/a/b/tags/list", "/v2/docker.io/a/b/tags/list"],
    [
      "https://r.example/v2/library/alpine/manifests/3?ns=docker.io",
      "/v2/docker.io/library/alpine/manifests/3",
    ],
    ["https://r.example/v2/open/app/blobs/sha256:1?ns=ghcr.io", "/v2/ghcr.io/open/app/blobs/sha256:1"],
    ["https://r.example/v2/team/app/manifests/1?ns=r.example", "/v2/team/app/manifests/1"],
    ["https://r.example/v2/team/app/manifests/1?ns=quay.io", "/v2/team/app/manifests/1"],
    ["https://r.example/v2/docker.iox/a/manifests/1", "/v2/docker.iox/a/manifests/1"],
    ["https://hub.example.com/v2/", "/v2/"],
    ["https://hub.example.com/v2/_catalog", "/v2/_catalog"],
  ])("%s", (url, path) => {
    expect(upstreams.pathOf(new URL(url).pathname, new Request(url))).toBe(path);
  });

  it("is the longest prefix's", () => {
    const { upstream, remote } = upstreams.find(parseRepositoryName("ghcr.io/inner/app")) ?? {};
    expect([upstream?.prefix, remote]).toEqual(["ghcr.io/inner", "app"]);
  });

  it.each([
    ["ghcr.io/open/app", true],
    ["ghcr.io/open/secrets", false],
    ["ghcr.io/closed/app", false],
    ["docker.io/library/alpine", true],
  ])("%s is let through: %s", (name, expected) => {
    const repository = upstreams.find(parseRepositoryName(name));
    expect(repository && isAllowed(repository)).toBe(expected);
  });

  it("tells the namespace of a registry that is none of them", () => {
    expect(upstreams.scopingOf(new Request("https://r.example/v2/a/manifests/1?ns=quay.io"))).toBe("unknown");
  });
});

describe("UPSTREAMS", () => {
  it.each([
    ["no JSON", "{"],
    ["no prefix", '[{"url": "https://a.example.com"}]'],
    ["a prefix that is no name", '[{"prefix": "A", "url": "https://a.example.com"}]'],
    [
      "a prefix twice",
      '[{"prefix":"a","url":"https://a.example.com"},{"prefix":"a","url":"https://b.example.com"}]',
    ],
    ["a path behind the host", '[{"prefix": "a", "url": "https://a.example.com/v2/"}]'],
    ["http without insecure", '[{"prefix": "a", "url": "http://a.example.com"}]'],
    ["an address without private", '[{"prefix": "a", "url": "https://10.0.0.1"}]'],
    ["an address in another spelling", '[{"prefix": "a", "url": "https://0x7f.1"}]'],
    ["an inner name", '[{"prefix": "a", "url": "https://registry.internal"}]'],
    ["credentials in the URL", '[{"prefix": "a", "url": "https://u:p@a.example.com"}]'],
    ["what it does not know", '[{"prefix": "a", "url": "https://a.example.com", "fresch": 1}]'],
  ])("refuses %s", (_, text) => {
    expect(() => parseUpstreams(text)).toThrow();
  });

  it("has defaults, and those of Docker Hub", () => {
    const [hub, other] = parseUpstreams(
      '[{"prefix":"docker.io","url":"https://registry-1.docker.io"},{"prefix":"a","url":"http://10.0.0.1:5000","insecure":true,"private":true}]',
    );
    expect(hub).toMatchObject({ fresh: 300, timeout: 5000, library: true, realms: ["auth.docker.io"] });
    expect(other).toMatchObject({ library: false, realms: [], insecure: true, private: true });
  });

  it("says nothing of a wrong secret", () => {
    expect(() => parseUpstreamCredentials('{"a": {"username": "u", "pasword": "hunter2"}}')).toThrow(
      expect.not.stringContaining("hunter2"),
    );
    expect(parseUpstreamCredentials("").size).toBe(0);
  });
});
