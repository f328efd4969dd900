import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { makeAccount, makeTokenKey } from "../../scripts/commands/key.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { freePort } from "../clients/harness/free-port.ts";
import { type ProxyOptions, startProxy } from "../clients/harness/proxy.ts";
import { builtWorker } from "../wire/built-worker.ts";

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  /** Names of the checks that failed. */
  readonly failed: readonly string[];
  /** Names of the checks that were not made. */
  readonly untried: readonly string[];
}

let folder: string;
let closed: LocalRegistry;
let account: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-smoke-"));
  const { key, entry } = await makeAccount("smoke", { "skerry-smoke/*": "pull,push,delete" }, false);
  account = { SKERRY_ACCOUNT: "smoke", SKERRY_KEY: key };
  closed = await startLocalRegistry({
    persistTo: join(folder, "closed"),
    built: await builtWorker(),
    vars: { ANONYMOUS: "none", ACCOUNTS: `[${entry}]`, TOKEN_KEY: await makeTokenKey() },
  });
});

afterAll(async () => {
  await closed.stop();
  await rm(folder, { recursive: true });
});

/** Runs `npm run smoke -- <args>` without npm. */
async function smoke(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(projectRoot, "scripts/smoke.ts"), ...args], {
    env: { ...process.env, SKERRY_ACCOUNT: "", SKERRY_KEY: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  const named = (outcome: string) =>
    output.split("\n").flatMap((line) => {
      const [, found, name = ""] = /^(ok|FAIL|–) +(.*?) {2}/.exec(line) ?? [];
      return found === outcome ? [name] : [];
    });
  return { status, output, errors, failed: named("FAIL"), untried: named("–") };
}

/** Runs it against a proxy before the closed registry. */
async function smokeThrough(options: ProxyOptions, ...args: readonly string[]): Promise<Outcome> {
  const proxy = await startProxy(new URL(closed.origin).host, options);
  try {
    return await smoke([`http://${proxy.host}`, ...args], account);
  } finally {
    await proxy.close();
  }
}

/** Runs it against a registry of its own with these variables. */
async function smokeOf(vars: Readonly<Record<string, string>>, env = {}): Promise<Outcome> {
  const persistTo = await mkdtemp(join(folder, "own-"));
  const registry = await startLocalRegistry({ persistTo, built: await builtWorker(), vars });
  try {
    return await smoke([registry.origin], env);
  } finally {
    await registry.stop();
  }
}

describe("npm run smoke", () => {
  it("finds nothing wrong with a closed registry, and leaves nothing behind", async () => {
    const proxy = await startProxy(new URL(closed.origin).host);
    const { status, output, failed, untried } = await smoke(
      [`http://${proxy.host}`, "--repository", "skerry-smoke/kept", "--body", "5M"],
      account,
    );
    await proxy.close();
    expect(failed, output).toEqual([]);
    expect(untried).toEqual([]);
    expect(status).toBe(0);
    expect(output).toContain("5.0 MB");

    const authorization = `Basic ${Buffer.from(`smoke:${account.SKERRY_KEY}`).toString("base64")}`;
    const ask = (path: string) => fetch(closed.origin + path, { headers: { Authorization: authorization } });
    const pushed = proxy.exchanges.filter(({ method, status }) => method === "PUT" && status === 201);
    expect(pushed.length).toBeGreaterThan(6);
    const digests = new Set(
      proxy.exchanges.flatMap(({ path }) => decodeURIComponent(path).match(/sha256:[0-9a-f]{64}/) ?? []),
    );
    expect(digests.size).toBeGreaterThan(6);
    for (const digest of digests) {
      for (const kind of ["blobs", "manifests"]) {
        expect((await ask(`/v2/skerry-smoke/kept/${kind}/${digest}`)).status).toBe(404);
      }
    }
    expect(await (await ask("/v2/skerry-smoke/kept/tags/list")).json()).toMatchObject({ tags: [] });
  });

  it("finds nothing wrong with an open registry, but has no stranger to send", async () => {
    const { status, failed, untried } = await smokeOf({ ANONYMOUS: "all" });
    expect(failed).toEqual([]);
    expect(untried).toEqual(["refuses strangers' pushes", "push of a large body"]);
    expect(status).toBe(0);
  });

  it.each<[string, ProxyOptions, readonly string[], string]>([
    [
      "takes Range off requests",
      { withoutRequestHeaders: ["range"] },
      ["pull of a part (Range)"],
      "the whole blob came\n      -> something on the way removes Range",
    ],
    [
      "compresses",
      { gzip: true },
      ["push in chunks", "pull by tag", "pull by digest", "pull of a blob", "pull of a part (Range)"],
      "came compressed (gzip)\n      -> something on the way compresses",
    ],
    [
      "takes Content-Length off answers",
      { withoutHeaders: ["content-length"] },
      [
        "push in chunks",
        "pull by tag",
        "pull by digest",
        "HEAD of manifest and blob",
        "pull of a blob",
        "pull of a part (Range)",
      ],
      "came without Content-Length\n      -> something on the way removes it",
    ],
    [
      "takes Docker-Content-Digest off answers",
      { withoutHeaders: ["docker-content-digest"] },
      ["push", "push in chunks"],
      "Docker-Content-Digest is missing",
    ],
  ])("tells when something on the way %s", async (_, options, failed, said) => {
    const outcome = await smokeThrough(options);
    expect(outcome.failed, outcome.output).toEqual(failed);
    expect(outcome.output).toContain(said);
    expect(outcome.output).toMatch(/^ok {4}leaves nothing behind/m);
    expect(outcome.status).toBe(1);
  });

  it("tells that a body is larger than the host allows", async () => {
    const outcome = await smokeThrough({ maxBody: 4_000_000 }, "--body", "5M");
    expect(outcome.failed).toEqual(["push of a large body"]);
    expect(outcome.output).toContain("the limit of the zone's plan");
    expect((await smokeThrough({ maxBody: 4_000_000 }, "--body", "3.5M")).status).toBe(0);
  });

  it("tells that not the registry answers, and tries nothing more", async () => {
    const page = { status: 403, html: "<html>Just a moment</html>" };
    const outcome = await smokeThrough({ page });
    expect(outcome.failed[0]).toBe("answers");
    expect(outcome.output).toContain("a page of HTML, not the registry's answer");
    expect(outcome.untried).toContain("push");
    expect(outcome.status).toBe(1);
  });

  it.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
    [
      "is read-only",
      { READ_ONLY: "true" },
      ["push", "push under a wrong digest", "push in chunks"],
      "READ_ONLY",
    ],
    [
      "does not delete",
      { DELETE_ENABLED: "false" },
      ["delete", "leaves nothing behind"],
      "delete them: /v2/skerry-smoke/",
    ],
    [
      "calls itself by another name",
      { PUBLIC_URL: "https://elsewhere.example" },
      ["push", "push under a wrong digest", "push in chunks"],
      "Location leads to https://elsewhere.example\n      -> set PUBLIC_URL",
    ],
  ])("tells when the registry %s", async (_, vars, failed, said) => {
    const outcome = await smokeOf({ ANONYMOUS: "all", ...vars });
    expect(outcome.failed, outcome.output).toEqual(failed);
    expect(outcome.output).toContain(said);
    expect(outcome.status).toBe(1);
  });

  it("tells that anyone may push, although accounts exist", async () => {
    const { failed, output } = await smokeOf({ ANONYMOUS: "all" }, account);
    expect(failed).toContain("refuses strangers' pushes");
    expect(output).toContain("anyone may push");
  });

  it("tells that nobody answers", async () => {
    const outcome = await smoke([`http://127.0.0.1:${await freePort()}`]);
    expect(outcome.failed).toEqual(["answers"]);
    expect(outcome.output).toContain("is the host right? (ECONNREFUSED)");
    expect(outcome.status).toBe(1);
  });

  it("tells that the key is wrong", async () => {
    const outcome = await smoke([closed.origin], { ...account, SKERRY_KEY: "skerry_wrong" });
    expect(outcome.failed).toEqual(["answers"]);
    expect(outcome.untried).toEqual(expect.arrayContaining(["push", "pull by tag", "delete"]));
    expect(outcome.output).toContain("SKERRY_KEY");
  });

  it.each([
    [[], "the URL of the registry is missing"],
    [["registry.example.com"], "a URL without a path expected"],
    [["https://registry.example.com/v2/"], "a URL without a path expected"],
    [["http://127.0.0.1:1", "--body", "90X"], "a size up to 1G expected"],
    [["http://127.0.0.1:1", "--bodie", "90M"], "Unknown option '--bodie'"],
  ])("refuses %o", async (args, said) => {
    const { status, output, errors } = await smoke(args);
    expect(output).toBe("");
    expect(errors).toContain(said);
    expect(status).toBe(2);
  });
});
