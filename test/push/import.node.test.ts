import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { makeAccount, makeTokenKey } from "../../scripts/commands/key.ts";
import { driveImport, wantedImport } from "../../scripts/push/import.ts";
import { Imports } from "../../scripts/push/registry/imports.ts";
import { parseImageReference } from "../../scripts/push/registry/reference.ts";
import { entryOf, variablesOf } from "../upstream/edge-entry.ts";
import { type FaultProxy, honest, startFaultProxy } from "../upstream/fault-proxy.ts";
import { answers, onlyFor } from "../upstream/faults.ts";
import { remoteOrigin } from "../upstream/origin.ts";
import { useRegistry } from "../wire/registry.ts";
import { attach } from "./attach.ts";
import { type CliOutcome, type CliRun, startCli } from "./cli.ts";
import { writeIndexLayout } from "./images.ts";
import { useWorld } from "./world.ts";

const prefix = "other.example";
const grants = { "team-*": "pull,push" } as const;
const ci = await makeAccount("ci", { ...grants, [`${prefix}/*`]: "pull" }, false);
const narrow = await makeAccount("narrow", grants, false);

const other = useRegistry();
let upstream: FaultProxy;
const world = useWorld(async () => {
  upstream = await startFaultProxy(remoteOrigin(`127.0.0.1:${other().port}`));
  return variablesOf({
    upstreams: [entryOf(prefix, upstream)],
    vars: {
      ACCOUNTS: `[${ci.entry},${narrow.entry}]`,
      ANONYMOUS: "none",
      PUBLIC_REPOSITORIES: "team-*",
      TOKEN_KEY: await makeTokenKey(),
    },
  });
});
afterAll(() => upstream.kill());

let digest: string;

beforeEach(async () => {
  upstream.fault = honest;
  const { dir, seed, name, push } = world();
  digest = await writeIndexLayout(join(dir, "layout"), seed);
  await push(join(dir, "layout"), `${name}:1`, { host: `127.0.0.1:${other().port}` });
  await logIn("ci", ci.key);
});

/** Puts an account into docker's configuration, from which the command takes it. */
async function logIn(account: string, key: string): Promise<void> {
  const { dir, proxy } = world();
  const auth = Buffer.from(`${account}:${key}`).toString("base64");
  await mkdir(join(dir, "docker"), { recursive: true });
  const file = { auths: { [`127.0.0.1:${proxy.port}`]: { auth } } };
  await writeFile(join(dir, "docker", "config.json"), JSON.stringify(file));
}

const host = () => `127.0.0.1:${world().proxy.port}`;
const targetOf = (tag: string) => `${host()}/${world().name}:${tag}`;

/** Starts `copy --import` of the image. */
function copy(tag: string, ...options: readonly string[]): CliRun {
  const { name, dir } = world();
  return startCli(["copy", "--import", ...options, `${prefix}/${name}:1`, targetOf(tag)], dir);
}

/** The imports of the repository, as a pusher sees them. */
function importsOf(): Imports {
  const { name, repository } = world();
  const { registry } = repository(name, { credentials: { username: "ci", password: ci.key }, attempts: 3 });
  return new Imports(registry, parseImageReference(`x.example/${name}`).name);
}

async function expectImported(run: CliRun, tag: string): Promise<CliOutcome> {
  const outcome = await run.ended;
  expect(outcome).toMatchObject({ status: 0, stdout: `${targetOf(tag)}@${digest}\n` });
  await world().probe.verify(world().name, tag, digest);
  return outcome;
}

/** When the registry is asked so for one import. */
function isAsked(wanted: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  world().proxy.fault = async ({ request: { method, path }, pass }) => {
    if (method === wanted && /_skerry\/imports\/[^/]+$/.test(path)) resolve();
    await pass();
  };
  return promise;
}

/** Lets no blob through until it is called. @returns what tells that one was asked for, and what lets all go on. */
function holdBlobs() {
  const { promise: isHeld, resolve: held } = Promise.withResolvers<void>();
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
  upstream.fault = onlyFor("blobs", async ({ pass }) => {
    held();
    await isReleased;
    await pass();
  });
  return { isHeld, release };
}

/** The command goes on with an import that is there. @param release lets its blobs through. */
async function expectFound(release: () => void): Promise<void> {
  world().proxy.forget();
  const isFound = isAsked("GET");
  const run = copy("1");
  await isFound;
  release();
  await expectImported(run, "1");
  expect(world().asked()).not.toContain(`POST /v2/${world().name}/_skerry/imports`);
}

describe("copy --import", () => {
  it("has the registry fetch the image, and prints it with its digest", async () => {
    const { stderr } = await expectImported(copy("1"), "1");
    expect(stderr).toMatch(new RegExp(`^import: imported, .*${digest}$`, "m"));
    const scope = encodeURIComponent(`repository:${prefix}/${world().name}:pull`);
    expect(world().asked()).toContainEqual(expect.stringContaining(scope));
  });

  it("brings signatures and all else that refers to the image with --referrers", async () => {
    const { name, repository, probe } = world();
    const source = repository(name, { host: `127.0.0.1:${other().port}` });
    const note = await attach(source, digest, `on ${name}`);
    await expectImported(copy("1", "--referrers"), "1");
    expect((await probe.referrers(name, digest)).map((each) => each.digest)).toEqual([note]);
    await probe.verify(name, note, note);
  });

  it("waits as long as the registry says, and tells why", async () => {
    let refusals = 0;
    upstream.fault = onlyFor("blobs", (exchange) =>
      refusals++ === 0 ? answers(429, { "Retry-After": "3" })(exchange) : exchange.pass(),
    );
    const { stderr } = await expectImported(copy("1"), "1");
    expect(stderr).toMatch(/limits requests; again in \d+ s/);
    expect(world().proxy.seen.filter(({ method }) => method === "POST").length).toBeLessThan(7);
  });

  it("interrupted, says that the import goes on; the same command finds it again", async () => {
    const { release } = holdBlobs();
    const isDriven = isAsked("POST");
    const run = copy("1");
    await isDriven;
    run.interrupt();
    const { status, stderr, stdout } = await run.ended;
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
    expect(stderr).toContain(`http://${host()}/v2/${world().name}/_skerry/imports/`);
    expect(stderr).toContain("with --cancel it ends it");
    await expectFound(release);
  });

  it("begins it and ends with --detach, ends it with --cancel", async () => {
    const { isHeld, release } = holdBlobs();
    const { status, stdout } = await copy("1", "--detach").ended;
    expect(status).toBe(0);
    await isHeld;
    const location = new URL(stdout.trim());
    expect(await importsOf().status(location)).toMatchObject({ state: "open", tags: ["1"] });
    expect(await copy("1", "--cancel").ended).toMatchObject({ status: 0, stdout });
    release();
    expect(await importsOf().status(location)).toMatchObject({ state: "cancelled" });
    const again = await copy("1", "--cancel").ended;
    expect(again).toMatchObject({ status: 1, stderr: "there is no such import, or it is over\n" });
    expect(await world().probe.digest(world().name, "1")).toBeUndefined();
  });

  it("fails as something that may go on when the registry is gone, and goes on then", async () => {
    const { isHeld, release } = holdBlobs();
    const imports = importsOf();
    const { name, proxy, display } = world();
    const reference = parseImageReference(`${prefix}/${name}:1`);
    const begun = await imports.begin(wantedImport(reference, parseImageReference(targetOf("1")), false));
    await isHeld;
    await proxy.kill();
    await expect(driveImport(imports, begun, display)).rejects.toMatchObject({ isTemporary: true });
    await proxy.revive();
    await expectFound(release);
    expect((await imports.status(begun.location)).state).toBe("done");
  });

  it("says what the upstream has not got", async () => {
    const { dir, name } = world();
    const outcome = await startCli(["copy", "--import", `${prefix}/${name}:2`, targetOf("2")], dir).ended;
    expect(outcome).toMatchObject({ status: 1, stdout: "" });
    expect(outcome.stderr).toContain(`${prefix}/${name}:2 could not be imported: MANIFEST_UNKNOWN`);
  });

  it("says that the registry knows no such upstream", async () => {
    const { dir, name } = world();
    const outcome = await startCli(["copy", "--import", `foreign.example/${name}:1`, targetOf("1")], dir)
      .ended;
    expect(outcome).toMatchObject({ status: 1, stdout: "" });
    expect(outcome.stderr).toContain(`foreign.example/${name} has to begin with the prefix of an entry`);
  });

  it("is refused for an account that may not pull the source", async () => {
    await logIn("narrow", narrow.key);
    expect(await copy("1").ended).toMatchObject({ status: 1, stdout: "" });
    expect(upstream.pending).toBe(0);
  });

  it.each([
    ["option of the copying client", ["--platform=linux/amd64"]],
    ["two ways to end at once", ["--detach", "--cancel"]],
  ])("takes no %s", async (_, options) => {
    expect(await copy("1", ...options).ended).toMatchObject({ status: 2, stdout: "" });
  });
});
