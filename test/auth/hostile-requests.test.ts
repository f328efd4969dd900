import { beforeAll, describe, expect, it } from "vitest";
import { expectStatus } from "../support/content.ts";
import { authorized } from "../support/registry.ts";
import { allowedBy, basic, challengeOf, getToken } from "./credentials.ts";
import { requests } from "./requests.ts";
import { type AuthWorld, createAuthWorld } from "./world.ts";

let world: AuthWorld;

beforeAll(async () => {
  world = await createAuthWorld();
});

/** `Authorization` headers that must open nothing. */
const headers: Readonly<Record<string, () => string>> = {
  "no scheme": () => "cm9vdDpyb290",
  "no credentials": () => "Basic",
  "a scheme without credentials": () => "Bearer ",
  "another scheme": () => "Digest username=root",
  "AWS's": () => "AWS4-HMAC-SHA256 Credential=x",
  "two at once": () => `${basic(world.accounts.root)}, ${basic(world.accounts.root)}`,
  "no base64": () => "Basic !!!!",
  "no colon": () => `Basic ${btoa("root")}`,
  "an empty name and key": () => `Basic ${btoa(":")}`,
  "no UTF-8": () => `Basic ${btoa("r\xffot:\xfe")}`,
  "a name in other letters that look alike": () => basic({ name: "rооt", key: world.accounts.root.key }),
  "a name in capitals": () => basic({ name: "ROOT", key: world.accounts.root.key }),
  "a name with a zero byte": () => basic({ name: "root\0", key: world.accounts.root.key }),
  "a name with a byte order mark": () => basic({ name: "\ufeffroot", key: world.accounts.root.key }),
  "a key in full width": () => basic({ name: "root", key: `ｓ${world.accounts.root.key.slice(1)}` }),
  "a key with a space": () => basic({ name: "root", key: `${world.accounts.root.key} ` }),
  "a key with a zero byte": () => basic({ name: "root", key: `${world.accounts.root.key}\0` }),
  "half a key": () => basic({ name: "root", key: world.accounts.root.key.slice(0, 30) }),
  "another's key": () => basic({ name: "root", key: world.accounts.reader.key }),
  "the hash of a key": () =>
    basic({ name: "root", key: (world.accounts.root.entry as { hash: string }).hash }),
  "no key": () => basic({ name: "root", key: "" }),
  "a name that is a property of objects": () => basic({ name: "__proto__", key: world.accounts.root.key }),
  "a robot that is a path": () => basic({ name: "robot-/../../keys/upload", key: world.accounts.root.key }),
  "a megabyte": () => basic({ name: "root", key: "x".repeat(1_000_000) }),
};

describe("credentials", () => {
  it.each(Object.keys(headers))("%s are refused", async (name) => {
    const client = authorized(world.stranger, headers[name]?.() ?? "");
    for (const request of requests)
      expect(challengeOf(await expectStatus(client.ask(request), 401))).toBeTruthy();
    await expectStatus(client.ask("GET /token"), 401);
  });

  it("are known whatever the case of the scheme", async () => {
    const authorization = basic(world.accounts.root).replace("Basic", "bAsIc");
    await expectStatus(authorized(world.stranger, authorization).ask("GET /v2/"), 200);
  });
});

describe("a request for a token", () => {
  const entries = async (...scopes: string[]) => {
    const token = await getToken(world.stranger, scopes, basic(world.accounts.writer));
    return allowedBy(token);
  };

  it.each([
    ["a pattern", "repository:*:pull"],
    ["a pattern of the account's own", "repository:team/*:pull"],
    ["no name", "repository::pull"],
    ["a dot segment", "repository:team/../other/app:pull"],
    ["a name in capitals", "repository:team/APP:pull"],
    ["quotes", 'repository:team/app",error="x:pull'],
    ["a line break", "repository:team/app\r\nX-Evil: 1:pull"],
    ["a zero byte", "repository:team/app\0:pull"],
    ["a port", "repository:localhost:5000/team/app:pull"],
    ["another type", "package:team/app:pull"],
    ["no action", "repository:team/app:"],
    ["an action that nobody knows", "repository:team/app:administer"],
    ["an action in capitals", "repository:team/app:PULL"],
    ["the robots", "registry:admin:*"],
    ["a name of 300 characters", `repository:team/${"a".repeat(300)}:pull`],
    ["nothing but colons", ":::::"],
  ])("whose scope holds %s gets nothing for it", async (_, scope) => {
    expect(await entries(scope)).toEqual([]);
  });

  it("with 1,000 scopes is refused, with 50 is not", async () => {
    const query = (count: number) =>
      Array.from({ length: count }, (_, index) => `scope=repository:team/a${index}:pull`).join("&");
    const client = world.as(world.accounts.reader);
    await expectStatus(client.ask(`GET /token?${query(1000)}`), 400);
    await expectStatus(client.ask(`GET /token?${query(50)}`), 200);
    const words = Array.from({ length: 1000 }, () => "repository:team/app:pull").join("+");
    await expectStatus(client.ask(`GET /token?scope=${words}`), 400);
  });
});

describe("the realm", () => {
  it("does not follow headers that anybody can send", async () => {
    const spoofed = {
      Host: "evil.example",
      "X-Forwarded-Host": "evil.example",
      Forwarded: "host=evil.example",
    };
    const answer = await world.stranger.ask("GET /v2/", { headers: spoofed });
    expect(challengeOf(answer).realm).toBe("https://registry.example/token");
  });

  it("is PUBLIC_URL's, whatever the host of the request", async () => {
    const { stranger } = await createAuthWorld({ PUBLIC_URL: "https://public.example" });
    const answer = await stranger.ask("GET https://evil.example/v2/");
    expect(challengeOf(answer)).toEqual({ realm: "https://public.example/token", service: "public.example" });
  });

  it("follows a trusted proxy, but not to what is no host", async () => {
    const { stranger } = await createAuthWorld({ TRUST_PROXY: "true" });
    for (const [host, realm] of [
      ["proxied.example:8443", "https://proxied.example:8443/token"],
      ['evil.example",error="x', "https://registry.example/token"],
      ["user@evil.example", "https://registry.example/token"],
    ] as const) {
      const answer = await stranger.ask("GET /v2/", { headers: { "X-Forwarded-Host": host } });
      expect(challengeOf(answer).realm).toBe(realm);
    }
  });
});
