import { beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { makeTestAccount } from "../auth/credentials.ts";
import { type AuthWorld, createAuthWorld, pushAsRoot } from "../auth/world.ts";
import { Browser } from "./browser.ts";

let world: AuthWorld;
let browser: Browser;

beforeEach(async () => {
  world = await createAuthWorld();
  browser = new Browser(world.stranger);
  for (const name of ["team/app", "other/app", "public/app"]) await pushAsRoot(world, name);
});

describe("a stranger", () => {
  test("sees what everybody may pull, and nothing else", async () => {
    const { status, text } = await browser.get("/");
    expect(status).toBe(200);
    expect(text).toContain("/-/repositories/public/app");
    expect(text).not.toContain("team");
  });

  test.each(["team/app", "team/nothing"])("is asked to sign in for %s, there or not", async (name) => {
    const { status, text } = await browser.get(`/-/repositories/${name}`);
    expect(status).toBe(401);
    expect(text).toContain(`value="/-/repositories/${name}"`);
  });
});

describe("signing in", () => {
  test("gives a cookie that scripts and other sites do not get, and shows what the account may pull", async () => {
    const answer = await browser.signIn(world.accounts.reader, "/-/repositories/team/app");
    expect(answer.status).toBe(303);
    expect(answer.headers.get("Location")).toBe("/-/repositories/team/app");
    const cookie = answer.headers.get("Set-Cookie") ?? "";
    expect(cookie).toMatch(/^__Host-skerry=/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=28800"]) {
      expect(cookie).toContain(attribute);
    }
    const { text } = await browser.get("/");
    expect(text).toContain("/-/repositories/team/app");
    expect(text).not.toContain("other/app");
    expect((await browser.get("/-/repositories/team/app")).text).toContain(
      "docker pull registry.example/team/app:1",
    );
  });

  test("with a wrong key says so, and keeps the name", async () => {
    const answer = await browser.signIn({ ...world.accounts.reader, key: world.accounts.writer.key });
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("Wrong account or key.");
    expect(answer.text).toContain('value="reader"');
    expect(browser.cookie).toBeUndefined();
  });

  test("is limited for each address, as every login is", async () => {
    const limited = await createAuthWorld({}, { loginLimit: { limit: async () => ({ success: false }) } });
    const guesser = new Browser(limited.stranger);
    const wrong = await guesser.signIn({ ...limited.accounts.reader, key: "wrong" });
    expect([wrong.status, wrong.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect((await guesser.signIn(limited.accounts.reader)).status).toBe(303);
  });

  test.each(["https://evil.example/", "//evil.example", "/\\evil.example", "/v2/", "javascript:alert(1)"])(
    "never leads to %s",
    async (next) => {
      const answer = await browser.signIn(world.accounts.reader, next);
      expect(answer.headers.get("Location")).toBe("/");
    },
  );

  test("is not possible over plain http, but on one's own machine", async () => {
    const { client } = world.registry;
    const plain = new Browser(client("plain", { publicUrl: "http://registry.example" }));
    expect((await plain.signIn(world.accounts.reader)).status).toBe(400);
    const own = new Browser(client("own", { publicUrl: "http://localhost:8787" }));
    expect((await own.signIn(world.accounts.reader)).headers.get("Set-Cookie")).toMatch(
      /^skerry=(?!.*Secure)/,
    );
  });
});

describe("a session", () => {
  beforeEach(async () => {
    await browser.signIn(world.accounts.reader);
  });

  async function seesTeam(): Promise<boolean> {
    return (await browser.get("/")).text.includes("team/app");
  }

  test("ends with signing out", async () => {
    expect((await browser.post("/-/sign-out")).status).toBe(303);
    expect(browser.cookie).toBeUndefined();
    expect(await seesTeam()).toBe(false);
  });

  test("ends after eight hours", async () => {
    await world.registry.clock.advance(8 * 3600 * 1000 - 1000);
    expect(await seesTeam()).toBe(true);
    await world.registry.clock.advance(2000);
    expect(await seesTeam()).toBe(false);
  });

  test("ends when the account has another key, or is gone", async () => {
    const other = await makeTestAccount("reader", { grants: { "team/*": "pull" } });
    const { cookie } = browser;
    for (const entries of [[other.entry], []]) {
      const { accounts } = readConfig({ ACCOUNTS: JSON.stringify(entries) });
      browser = new Browser(world.registry.client("deployed", { ...world.config, accounts }));
      browser.cookie = cookie;
      expect(await seesTeam()).toBe(false);
    }
  });

  test("is nothing that the API takes, and no token is a session", async () => {
    const value = browser.cookie?.split("=")[1] ?? "";
    const asToken = await world.stranger.ask("GET /v2/team/app/tags/list", {
      headers: { Authorization: `Bearer ${value}` },
    });
    expect(asToken.status).toBe(401);
    const asCookie = await world.stranger.ask("GET /v2/team/app/tags/list", {
      headers: { Cookie: browser.cookie ?? "" },
    });
    expect(asCookie.status).toBe(401);
    browser.cookie = `__Host-skerry=${await world.signer.sign({
      iss: "skerry",
      aud: "registry.example",
      sub: "reader",
      exp: world.now() + 300,
    })}`;
    expect(await seesTeam()).toBe(false);
  });

  test.each([
    ["another site's page", { "Sec-Fetch-Site": "cross-site" }],
    ["a neighbour's page", { "Sec-Fetch-Site": "same-site" }],
    ["another origin", { Origin: "https://evil.example" }],
    ["nobody", {}],
  ])("is not used by %s", async (_, headers) => {
    expect((await browser.post("/-/sign-out", {}, headers as Record<string, string>)).status).toBe(403);
    expect(await seesTeam()).toBe(true);
  });

  test("is not used by a form of another session", async () => {
    expect((await browser.post("/-/sign-out", { session: "another" })).status).toBe(403);
    expect((await browser.post("/-/sign-out", {}, { Origin: "https://registry.example" })).status).toBe(303);
  });
});

test("every page forbids all that is not its own", async () => {
  for (const path of ["/", "/-/sign-in", "/-/repositories/team/app"]) {
    const { headers } = await browser.get(path);
    expect(headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("Cache-Control")).toBe("no-store");
  }
});

describe("without web pages", () => {
  test("there are none, and `/` answers as it does to others", async () => {
    const closed = new Browser(world.registry.client("closed", { webUi: false }));
    expect((await closed.get("/")).text).toBe("");
    for (const path of ["/-/sign-in", "/-/repositories/public/app"]) {
      expect((await closed.get(path)).status).toBe(404);
    }
  });

  test("`/` says nothing to load balancers either way", async () => {
    const answer = await world.stranger.ask("GET /", { headers: { Accept: "*/*" } });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });
});
