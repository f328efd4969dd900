import { describe, expect, it } from "vitest";
import { basic } from "../../auth/credentials.ts";
import { createAuthWorld } from "../../auth/world.ts";
import { blobOf, imageOf, noise, pushImage } from "../../support/content.ts";
import { codesOf, createWorld, letIn, type Sent, upstreamOrigin } from "./world.ts";

const path = "/v2/up/team/app/manifests/1";
const accept = { headers: { Accept: "*/*" } };

/** A registry whose upstream wants to be logged in to, by tokens and by Basic. */
async function guarded(account: "reader" | "outsider" | undefined) {
  const auth = await createAuthWorld();
  const { name, key } = auth.accounts[account ?? "reader"];
  const credentials = { up: { username: name, password: key } };
  const world = createWorld({
    origin: auth.stranger,
    variables: account === undefined ? {} : { UPSTREAM_CREDENTIALS: JSON.stringify(credentials) },
  });
  await pushImage(auth.as(auth.accounts.writer), "team/app", "1", "seed");
  return world;
}

const hasCredentials = ({ headers }: Sent) => headers.has("Authorization");

describe("logging in to an upstream", () => {
  it("gets a token where the challenge says, and uses it again", async () => {
    const world = await guarded("reader");
    expect((await world.client.ask(`GET ${path}`, accept)).status).toBe(200);
    expect(world.asked().map((line) => line.split("?")[0])).toEqual([
      "GET /v2/team/app/manifests/1",
      "GET /token",
      "GET /v2/team/app/manifests/1",
    ]);
    expect(world.sent[1]?.url.search).toContain("scope=repository%3Ateam%2Fapp%3Apull");
    world.sent.length = 0;
    expect((await world.client.ask("GET /v2/up/team/app/tags/list")).status).toBe(200);
    expect(world.asked()).toEqual(["GET /v2/team/app/tags/list"]);
  });

  it.each(["outsider", undefined] as const)(
    "passes on a refusal, without a challenge: %s",
    async (account) => {
      const world = await guarded(account);
      const answer = await world.client.ask(`GET ${path}`, accept);
      expect([401, 403]).toContain(answer.status);
      expect(answer.headers.has("WWW-Authenticate")).toBe(false);
      expect(["UNAUTHORIZED", "DENIED"]).toContain((await codesOf(answer))[0]);
    },
  );

  it("logs in by Basic where that is asked for, and then at once", async () => {
    const world = createWorld({
      variables: { UPSTREAM_CREDENTIALS: '{"up": {"username": "ü", "password": "p:w"}}' },
    });
    await pushImage(world.origin, "team/app", "1", "seed");
    world.answer((sent) => {
      if (sent.headers.get("Authorization") === basic({ name: "ü", key: "p:w" })) return letIn(world, sent);
      return new Response("", { status: 401, headers: { "WWW-Authenticate": 'Basic realm="r"' } });
    });
    expect((await world.client.ask(`GET ${path}`, accept)).status).toBe(200);
    expect((await world.client.ask("GET /v2/up/team/app/tags/list")).status).toBe(200);
    expect(world.asked()).toHaveLength(3);
  });

  it.each([
    ["of another host gets no credentials", "https://elsewhere.example/token", {}, false],
    [
      "of a host that the configuration lists gets them",
      "https://elsewhere.example/token",
      { realms: ["elsewhere.example"] },
      true,
    ],
  ])("a token server %s", async (_, realm, upstream, isTold) => {
    const world = createWorld({
      upstream,
      variables: { UPSTREAM_CREDENTIALS: '{"up": {"username": "u", "password": "p"}}' },
    });
    await pushImage(world.origin, "team/app", "1", "seed");
    world.answer((sent) => {
      if (sent.url.host === "elsewhere.example") return Response.json({ token: "t" });
      if (sent.headers.get("Authorization") === "Bearer t") return letIn(world, sent);
      return new Response("", { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } });
    });
    expect((await world.client.ask(`GET ${path}`, accept)).status).toBe(200);
    const asked = world.sent.find(({ url }) => url.host === "elsewhere.example");
    expect(asked && hasCredentials(asked)).toBe(isTold);
  });

  it.each([
    "http://upstream.example/token",
    "https://127.0.0.1/token",
    "https://2130706433/token",
    "https://[::1]/token",
    "https://metadata.internal/token",
    "file:///etc/passwd",
    "nonsense",
  ])("asks no token server at %s", async (realm) => {
    const world = createWorld();
    world.answer(
      () => new Response("", { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } }),
    );
    const answer = await world.client.ask(`GET ${path}`, accept);
    expect([answer.status, await codesOf(answer)]).toEqual([502, ["UNKNOWN"]]);
    expect(world.sent).toHaveLength(1);
  });

  it.each([
    ["no JSON", "hello"],
    ["no token", "{}"],
    ["a token with a line break", '{"token": "a\\r\\nX: y"}'],
    ["a token of a megabyte", JSON.stringify({ token: "a".repeat(1_000_000) })],
  ])("takes from a token server no answer with %s", async (_, body) => {
    const world = createWorld();
    world.answer(({ url }) =>
      url.pathname === "/token"
        ? new Response(body)
        : new Response("", {
            status: 401,
            headers: { "WWW-Authenticate": `Bearer realm="${upstreamOrigin}/token"` },
          }),
    );
    expect((await world.client.ask(`GET ${path}`, accept)).status).toBe(502);
  });

  it("gets a new token when the old one is not taken any more", async () => {
    const world = await guarded("reader");
    await world.client.ask(`GET ${path}`, accept);
    world.sent.length = 0;
    world.answer((sent) =>
      sent === world.sent[0]
        ? new Response("", { status: 401, headers: { "WWW-Authenticate": challenge } })
        : undefined,
    );
    expect((await world.client.ask("GET /v2/up/team/app/tags/list")).status).toBe(200);
    expect(world.asked().map((line) => line.split("?")[0])).toEqual([
      "GET /v2/team/app/tags/list",
      "GET /token",
      "GET /v2/team/app/tags/list",
    ]);
  });
});

const challenge = `Bearer realm="${upstreamOrigin}/token",service="upstream.example",scope="repository:team/app:pull"`;

describe("an upstream that redirects", () => {
  async function redirected(location: string, upstream = {}) {
    const world = createWorld({
      upstream,
      variables: { UPSTREAM_CREDENTIALS: '{"up": {"username": "u", "password": "p"}}' },
    });
    const image = await imageOf(await blobOf("{}"), [await blobOf(noise(10))]);
    world.answer(({ url, headers }) => {
      if (url.pathname === "/there")
        return new Response(image.bytes, { headers: { "Content-Type": image.mediaType } });
      if (!headers.has("Authorization"))
        return new Response("", { status: 401, headers: { "WWW-Authenticate": "Basic" } });
      return new Response("", { status: 307, headers: { Location: location } });
    });
    return { world, answer: await world.client.ask(`GET ${path}`, accept) };
  }

  it.each([
    ["https://storage.example/there", false],
    ["/there", true],
    ["//upstream.example/there", true],
  ])("to %s is followed, with credentials: %s", async (location, isTold) => {
    const { world, answer } = await redirected(location);
    expect(answer.status).toBe(200);
    const last = world.sent.at(-1);
    expect(last && hasCredentials(last)).toBe(isTold);
  });

  it.each([
    "http://storage.example/there",
    "https://10.0.0.1/there",
    "https://0x7f000001/there",
    "https://169.254.169.254/latest",
    "https://[fd00::1]/there",
    "https://localhost/there",
    "https://u:p@storage.example/there",
    "ftp://storage.example/there",
    "/v2/team/app/manifests/1",
    "https://",
  ])("to %s gets nobody anywhere", async (location) => {
    const { world, answer } = await redirected(location);
    expect([answer.status, await codesOf(answer)]).toEqual([502, ["UNKNOWN"]]);
    expect(world.sent.every(({ url }) => url.host === "upstream.example")).toBe(true);
    expect(world.sent.length).toBeLessThan(10);
  });
});

describe("an upstream that fails", () => {
  it.each([
    [404, 404, "MANIFEST_UNKNOWN"],
    [401, 401, "UNAUTHORIZED"],
    [403, 403, "DENIED"],
    [429, 429, "TOOMANYREQUESTS"],
    [500, 502, "UNKNOWN"],
    [503, 502, "UNKNOWN"],
    [418, 502, "UNKNOWN"],
    [204, 502, "UNKNOWN"],
  ])("by %i is answered by %i %s", async (status, expected, code) => {
    const world = createWorld();
    world.answer(() => new Response(null, { status, headers: { "WWW-Authenticate": "Basic" } }));
    const answer = await world.client.ask(`GET ${path}`, accept);
    expect([answer.status, await codesOf(answer)]).toEqual([expected, [code]]);
    expect(answer.headers.has("WWW-Authenticate")).toBe(false);
  });

  it("by silence is answered in time, and nothing is said of where it is", async () => {
    const world = createWorld({ upstream: { timeout: 20 } });
    world.answer(
      ({ signal }) =>
        new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    const answer = await world.client.ask(`GET ${path}`, accept);
    expect(answer.status).toBe(504);
    expect(await answer.text()).not.toContain("upstream.example");
  });

  it("is left alone for as long as it wants", async () => {
    const world = createWorld();
    await pushImage(world.origin, "team/app", "1", "seed");
    world.answer(() => new Response("", { status: 429, headers: { "Retry-After": "120" } }));
    const first = await world.client.ask(`GET ${path}`, accept);
    expect([first.status, first.headers.get("Retry-After")]).toEqual([429, "120"]);
    world.answer(undefined);
    world.edge.clock.advance(60_000);
    const second = await world.client.ask(`GET /v2/up/team/other/manifests/1`, accept);
    expect([second.status, second.headers.get("Retry-After")]).toEqual([429, "60"]);
    expect(world.sent).toHaveLength(1);
    world.edge.clock.advance(60_000);
    expect((await world.client.ask(`GET ${path}`, accept)).status).toBe(200);
  });
});
