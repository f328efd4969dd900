import { afterEach, describe, expect, it } from "vitest";
import { basic, makeSigner, makeTestAccount, type TestAccount } from "../auth/credentials.ts";
import { errorsOf } from "../support/answers.ts";
import { askerOf } from "../support/asker.ts";
import { pushImage, type TestManifest } from "../support/content.ts";
import type { Asker } from "../support/registry.ts";
import { exchange, type WireResponse } from "../wire/connection.ts";
import { useRegistry } from "../wire/registry.ts";
import { useEdge } from "./edge.ts";
import { entryOf } from "./edge-entry.ts";
import { type FaultProxy, honest, type SeenRequest, startFaultProxy } from "./fault-proxy.ts";
import { answers, onlyFor, redirects } from "./faults.ts";
import { remoteOrigin } from "./origin.ts";
import { pullImage } from "./pulls.ts";

// Skerry is the upstream of Skerry: one that hands out tokens, whose registry and token server are one.
let reader: TestAccount;
let outsider: TestAccount;
let root: TestAccount;
let proxy: FaultProxy;
/** A server of somebody else, under another name than the upstream's. */
let foreign: FaultProxy;
let images: Readonly<Record<"closed" | "stored" | "public", TestManifest>>;

const prefixes = ["reader.example", "outsider.example", "wrong.example", "anonymous.example"] as const;

const upstream = useRegistry(async () => {
  reader = await makeTestAccount("reader", { grants: { "team/*": "pull" } });
  outsider = await makeTestAccount("outsider", { grants: { "other/*": "pull" } });
  root = await makeTestAccount("root", { admin: true });
  return {
    ANONYMOUS: "none",
    ACCOUNTS: JSON.stringify([reader, outsider, root].map(({ entry }) => entry)),
    PUBLIC_REPOSITORIES: "public/*",
    TOKEN_KEY: (await makeSigner()).secret,
    TRUST_PROXY: "true",
  };
});

const edge = useEdge(
  () => [proxy, foreign],
  async () => {
    images = {
      closed: await pushImage(pusher(), "team/app", "1", "closed"),
      stored: await pushImage(pusher(), "team/stored", "1", "stored"),
      public: await pushImage(pusher(), "public/app", "1", "public"),
    };
    const origin = remoteOrigin(`127.0.0.1:${upstream().port}`);
    proxy = await startFaultProxy(origin);
    foreign = await startFaultProxy(origin);
    return {
      upstreams: prefixes.map((prefix) => entryOf(prefix, proxy, { fresh: 0 })),
      credentials: {
        "reader.example": { username: reader.name, password: reader.key },
        "outsider.example": { username: outsider.name, password: outsider.key },
        "wrong.example": { username: reader.name, password: outsider.key },
      },
    };
  },
);

afterEach(() => {
  proxy.fault = honest;
  proxy.forget();
  foreign.forget();
});

/** Pushes to the upstream itself. */
function pusher(): Asker {
  const { ask } = askerOf(upstream().origin);
  return {
    ask(request, options = {}) {
      const headers = new Headers(options.headers);
      headers.set("Authorization", basic(root));
      return ask(request, { ...options, headers });
    },
  };
}

const manifest = (prefix: string, name = "team/app") =>
  exchange(edge().port, "GET", `/v2/${prefix}/${name}/manifests/1`);

/** How the upstream asks for a token. */
async function challenge(): Promise<string> {
  const answer = await exchange(proxy.port, "GET", "/v2/team/app/manifests/1");
  return answer.header("WWW-Authenticate") ?? "";
}

const tokenRequests = () => proxy.seen.filter(({ path }) => path.startsWith("/token"));

function codeOf(answer: WireResponse): readonly [number, string | undefined] {
  return [answer.status, errorsOf(answer.body.toString())[0]?.code];
}

describe("an upstream that hands out tokens", () => {
  it("is pulled from with the credentials: one token for an image, and for pull alone", async () => {
    await pullImage(edge().port, "reader.example/team/app", "1");
    const [asked, ...more] = tokenRequests();
    expect(more).toEqual([]);
    const { searchParams } = new URL(asked?.path ?? "", proxy.url);
    expect(searchParams.getAll("scope")).toEqual(["repository:team/app:pull"]);
    expect(asked?.headers.authorization).toMatch(/^Basic /);
    const others = proxy.seen.filter((request) => request !== asked);
    expect(others.filter(({ headers }) => headers.authorization?.startsWith("Basic"))).toEqual([]);
    expect(others.filter(({ headers }) => headers.authorization === undefined).length).toBeLessThanOrEqual(1);
  });

  it("is asked for another token when it takes the old one no more", async () => {
    expect((await manifest("reader.example")).status).toBe(200);
    // Any token that was given out before this counts no more.
    const [old] = proxy.seen
      .map(({ headers }) => headers.authorization)
      .filter((each) => each?.startsWith("Bearer"));
    proxy.forget();
    const refuses = answers(401, { "WWW-Authenticate": await challenge() });
    proxy.fault = (exchange) =>
      exchange.request.headers.authorization === old ? refuses(exchange) : exchange.pass();
    const answer = await manifest("reader.example");
    expect([answer.status, answer.header("Warning")]).toEqual([200, undefined]);
    expect(tokenRequests().length).toBe(1);
  });

  it("is pulled from without credentials where it lets everybody", async () => {
    await pullImage(edge().port, "anonymous.example/public/app", "1");
    expect(proxy.seen.filter(({ headers }) => headers.authorization?.startsWith("Basic"))).toEqual([]);
    expect((await manifest("anonymous.example", "public/app")).header("Docker-Content-Digest")).toBe(
      images.public.digest,
    );
  });

  it.each(["outsider.example", "wrong.example", "anonymous.example"])(
    "refuses, and so the client is refused: %s",
    async (prefix) => {
      const answer = await manifest(prefix);
      const [status, code] = codeOf(answer);
      expect([
        [401, "UNAUTHORIZED"],
        [403, "DENIED"],
      ]).toContainEqual([status, code]);
      // The client's own credentials are no good there: nothing asks it for them.
      expect(answer.header("WWW-Authenticate")).toBeUndefined();
      expect(answer.body.toString()).not.toContain(reader.name);
    },
  );
});

describe("credentials and tokens", () => {
  const leaks = (seen: readonly SeenRequest[]) =>
    seen.filter(({ headers, path }) => headers.authorization !== undefined || /password|account/.test(path));

  it.each([
    ["Bearer", () => `Bearer realm="${foreignUrl()}/token",service="x"`],
    ["Bearer among others", () => `Negotiate, Bearer service="x", realm="${foreignUrl()}/token"`],
  ] as const)("go to no realm of another name: %s", async (name, challenge) => {
    proxy.fault = answers(401, { "WWW-Authenticate": challenge() });
    // Another repository for each: a failure is remembered for a moment.
    expect(codeOf(await manifest("reader.example", `team/secret${name.length}`))).toEqual([502, "UNKNOWN"]);
    expect(foreign.seen.length).toBeGreaterThan(0);
    expect(leaks(foreign.seen)).toEqual([]);
  });

  it("go to no realm of another scheme, or none", async () => {
    // Each of another repository: a failure is remembered for a moment.
    const realms = ["ftp://127.0.0.1/token", "file:///etc/passwd", "//", "token", "http://"];
    for (const [index, realm] of realms.entries()) {
      proxy.fault = answers(401, { "WWW-Authenticate": `Bearer realm="${realm}"` });
      const answer = await manifest("reader.example", `team/elsewhere${index}`);
      expect(codeOf(answer)).toEqual([502, "UNKNOWN"]);
    }
  });

  it("follow no redirect of the token server", async () => {
    proxy.fault = onlyFor("tokens", redirects(`${foreign.url}/token`));
    expect((await manifest("wrong.example", "team/moved")).status).toBeGreaterThanOrEqual(400);
    expect(leaks(foreign.seen)).toEqual([]);
  });

  it("follow no redirect to a storage", async () => {
    expect((await manifest("reader.example", "team/stored")).status).toBe(200);
    const { digest } = JSON.parse(new TextDecoder().decode(images.stored.bytes)).layers[0];
    // The storage of the upstream is a registry that lets nobody in without credentials: it sees what comes.
    proxy.fault = onlyFor(
      "blobs",
      redirects(({ path }) => `${foreign.url}${path}`),
    );
    await exchange(edge().port, "GET", `/v2/reader.example/team/stored/blobs/${digest}`);
    expect(foreign.seen.length).toBeGreaterThan(0);
    expect(leaks(foreign.seen)).toEqual([]);
  });

  it("of the client do not reach the upstream", async () => {
    await exchange(edge().port, "GET", "/v2/anonymous.example/public/app/manifests/1", [
      ["Authorization", `Basic ${btoa("client:its own secret")}`],
      ["Cookie", "session=1"],
    ]);
    const sent = proxy.seen.map(({ headers }) => JSON.stringify(headers)).join();
    expect(sent).not.toMatch(new RegExp(`${btoa("client:its own secret")}|session=1`));
  });
});

/** The same server as `foreign`, under a name that has nothing to do with the upstream's. */
function foreignUrl(): string {
  return foreign.url.replace("127.0.0.1", "localhost");
}
