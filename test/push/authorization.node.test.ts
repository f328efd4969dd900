import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeAccount, makeTokenKey } from "../../scripts/commands/key.ts";
import { startFaultProxy } from "../upstream/fault-proxy.ts";
import { answers, claims } from "../upstream/faults.ts";
import { writeIndexLayout } from "./images.ts";
import { useWorld } from "./world.ts";

const { key, entry } = await makeAccount("ci", { "team-*": "pull,push" }, false);
const world = useWorld({ ANONYMOUS: "none", ACCOUNTS: `[${entry}]`, TOKEN_KEY: await makeTokenKey() });
const credentials = { username: "ci", password: key };

afterEach(() => {
  vi.useRealTimers();
});

async function layout(): Promise<string> {
  const image = join(world().dir, "layout");
  await writeIndexLayout(image, world().seed);
  return image;
}

function tokenRequests(): readonly string[] {
  return world()
    .asked()
    .filter((each) => each.includes(" /token"));
}

/** Whether the repository has the tag, as the account sees it. */
async function isPushed(): Promise<boolean> {
  return (await world().repository(world().name, { credentials }).manifestDigest("1")) !== undefined;
}

describe("a registry that wants tokens", () => {
  it("gets them, one for each set of rights", async () => {
    const { push, name, waits } = world();
    await push(await layout(), `${name}:1`, { credentials });
    expect(tokenRequests()).toHaveLength(1);
    expect(tokenRequests()[0]).toContain(encodeURIComponent(`repository:${name}:pull,push`));
    expect(waits).toEqual([]);
    expect(await isPushed()).toBe(true);
  });

  it("gets another one when it stops believing the first in the middle of an upload", async () => {
    const { push, name, proxy } = world();
    let patches = 0;
    proxy.fault = async (exchange) => {
      if (exchange.request.method !== "PATCH" || ++patches !== 2) return exchange.pass();
      const challenge = `Bearer realm="${proxy.url}/token",service="127.0.0.1:${proxy.port}"`;
      await answers(401, { "WWW-Authenticate": challenge })(exchange);
    };
    await push(await layout(), `${name}:1`, { credentials });
    expect(tokenRequests()).toHaveLength(2);
    expect(await isPushed()).toBe(true);
  });

  it("gets another one before the first expires", async () => {
    const { push, name, proxy } = world();
    vi.useFakeTimers({ toFake: ["Date"] });
    let patches = 0;
    let refusals = 0;
    proxy.fault = async ({ request, outgoing, pass }) => {
      // The token lives five minutes.
      if (request.method === "PATCH" && ++patches === 2) vi.setSystemTime(Date.now() + 290_000);
      await pass();
      if (outgoing.statusCode === 401) refusals++;
    };
    await push(await layout(), `${name}:1`, { credentials });
    expect(tokenRequests().length).toBeGreaterThan(1);
    expect(refusals).toBeLessThanOrEqual(3);
  });

  it("is shown an identity token by POST", async () => {
    const { push, name, proxy } = world();
    const form = new URLSearchParams({
      grant_type: "password",
      username: "ci",
      password: key,
      access_type: "offline",
      service: `127.0.0.1:${proxy.port}`,
    });
    const answer = await fetch(`${proxy.url}/token`, { method: "POST", body: form });
    const { refresh_token } = (await answer.json()) as { readonly refresh_token: string };
    proxy.forget();
    await push(await layout(), `${name}:1`, { credentials: { identityToken: refresh_token } });
    expect(tokenRequests()).toEqual(["POST /token"]);
    expect(await isPushed()).toBe(true);
  });

  it.each([
    ["without credentials", undefined],
    ["with a wrong password", { username: "ci", password: "wrong" }],
  ])("refuses a push %s, which says to log in and does not try again", async (_, wrong) => {
    const { push, name, waits } = world();
    const pushed = push(await layout(), `${name}:1`, wrong && { credentials: wrong });
    await expect(pushed).rejects.toThrow("log in with `docker login`");
    expect(waits).toEqual([]);
  });

  it("refuses a push to where the account has no rights", async () => {
    const { push } = world();
    await expect(push(await layout(), "elsewhere/app:1", { credentials })).rejects.toMatchObject({
      isTemporary: false,
    });
  });

  it("may be unable to give one for a while", async () => {
    const { push, name, proxy, waits } = world();
    let asked = 0;
    proxy.fault = (exchange) =>
      exchange.request.path.startsWith("/token") && ++asked === 1 ? answers(503)(exchange) : exchange.pass();
    await push(await layout(), `${name}:1`, { credentials });
    expect(waits.length).toBeGreaterThan(0);
    expect(await isPushed()).toBe(true);
  });
});

it("a registry that wants a password gets it with every request", async () => {
  const { push, name, proxy } = world();
  proxy.fault = async (exchange) => {
    if (exchange.request.headers.authorization !== undefined) return exchange.pass();
    await claims({ "www-authenticate": 'Basic realm="registry"' })(exchange);
  };
  await push(await layout(), `${name}:1`, { credentials });
  expect(tokenRequests()).toEqual([]);
  expect(await isPushed()).toBe(true);
});

it("an upload that is sent elsewhere takes no password and no token with it", async () => {
  const { push, name, proxy } = world();
  const elsewhere = await startFaultProxy(async () => new Response(null, { status: 400 }));
  proxy.fault = (exchange) =>
    exchange.request.method === "POST"
      ? claims({ location: `${elsewhere.url}/upload` })(exchange)
      : exchange.pass();
  try {
    await expect(push(await layout(), `${name}:1`, { credentials })).rejects.toMatchObject({ status: 400 });
    expect(elsewhere.seen.length).toBeGreaterThan(0);
    expect(elsewhere.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  } finally {
    await elsewhere.kill();
  }
});
