import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { exchange, type HeaderLine } from "./connection.ts";
import { pushBlob, targetOf, uniqueBytes } from "./fixtures.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Started {
  readonly child: Child;
  readonly output: string;
  readonly port: number;
}

let directory: string;
let running: Child[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "skerry-start-"));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((child) => stop(child)));
  await rm(directory, { recursive: true });
});

/** Runs `npm start -- <args>` without npm. */
function spawnStart(args: readonly string[]): Child {
  const child = spawn(process.execPath, [join(projectRoot, "scripts/start.ts"), ...args], {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  return child;
}

async function start(args: readonly string[] = []): Promise<Started> {
  return greeting(spawnStart(["--port", "0", "--persist-to", join(directory, "state"), ...args]));
}

/** Waits for the last line of the greeting, a pull to try: by then the registry answers. */
async function greeting(child: Child): Promise<Started> {
  const errors = text(child.stderr);
  let output = "";
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`;
    if (!line.startsWith("  docker pull localhost:")) continue;
    return { child, output, port: Number(/http:\/\/localhost:(\d+)/.exec(output)?.[1]) };
  }
  throw new Error(`it did not start: ${output}${await errors}`);
}

async function stop(child: Child, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
  return child.exitCode;
}

/** What it says when it ends with status 1. */
async function fail(args: readonly string[]): Promise<string> {
  const child = spawnStart(args);
  const [errors] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect(child.exitCode).toBe(1);
  return errors;
}

async function isListening(port: number): Promise<boolean> {
  return exchange(port, "GET", "/v2/").then(
    () => true,
    () => false,
  );
}

describe("npm start", () => {
  test("says where it answers, that it is open to this machine, and what to try", async () => {
    const { output, port } = await start();
    expect(output).toContain(`Skerry answers at http://localhost:${port}`);
    expect(output).toContain("ANONYMOUS=all");
    expect(output).toContain(`docker push localhost:${port}/`);
    expect((await exchange(port, "GET", "/v2/")).status).toBe(200);
  });

  test.each([
    [[], false],
    [["--var", "LOG:requests"], true],
  ])("with %j prints a line for each request: %s", async (args, isTalkative) => {
    const { child, port } = await start(args);
    const rest = text(child.stdout);
    expect((await exchange(port, "POST", "/v2/wire/quiet/blobs/uploads/")).status).toBe(202);
    expect((await exchange(port, "GET", "/v2/wire/quiet/tags/list")).status).toBe(404);
    await stop(child);
    expect((await rest).includes('"event":"request"')).toBe(isTalkative);
  });

  test("keeps what was pushed where --persist-to says", async () => {
    const bytes = uniqueBytes(1_000);
    const first = await start();
    const digest = await pushBlob(first.port, "wire/kept", bytes);
    await stop(first.child);
    expect(await readdir(join(directory, "state", "v3"))).toContain("r2");
    const second = await start();
    const blob = await exchange(second.port, "GET", `/v2/wire/kept/blobs/${digest}`);
    expect(blob.body.equals(bytes)).toBe(true);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends it with status 0 and leaves no workerd behind",
    async (signal) => {
      const { child, port } = await start();
      expect(await isListening(port)).toBe(true);
      expect(await stop(child, signal)).toBe(0);
      await expect.poll(() => isListening(port)).toBe(false);
    },
  );

  test("a signal to npm ends it too", async () => {
    const args = ["start", "--", "--port", "0", "--persist-to", join(directory, "state")];
    const npm = spawn("npm", args, { cwd: projectRoot, stdio: ["ignore", "pipe", "pipe"] });
    running.push(npm);
    const { port } = await greeting(npm);
    expect(await isListening(port)).toBe(true);
    await stop(npm);
    await expect.poll(() => isListening(port), { timeout: 10_000 }).toBe(false);
  });

  test("a variable given on the command line wins", async () => {
    const { output, port } = await start([
      "--var",
      "ANONYMOUS:",
      "--var",
      "PUBLIC_URL:https://registry.example.com",
    ]);
    expect(output).not.toContain("ANONYMOUS=all");
    expect((await exchange(port, "GET", "/v2/")).status).toBe(401);
  });

  test("an address that others can reach is not opened by default", async () => {
    const { output, port } = await start(["--ip", "0.0.0.0"]);
    expect(output).not.toContain("ANONYMOUS=all");
    expect((await exchange(port, "GET", "/v2/")).status).toBe(401);
  });

  test("a custom domain in wrangler.toml does not send local clients there", async () => {
    const toml = await readFile(join(projectRoot, "wrangler.toml"), "utf8");
    const config = join(directory, "wrangler.toml");
    const route = '\n[[routes]]\npattern = "registry.example.com"\ncustom_domain = true\n';
    await writeFile(
      config,
      toml.replace('"src/index.ts"', JSON.stringify(join(projectRoot, "src/index.ts"))) + route,
    );
    const { port } = await start(["--config", config]);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const headers: readonly HeaderLine[] = [["Host", host]];
      const opened = await exchange(port, "POST", "/v2/wire/route/blobs/uploads/", headers);
      const location = opened.header("Location");
      expect(new URL(location ?? "").host).toBe(host);
      expect((await exchange(port, "GET", targetOf(location), headers)).status).toBe(204);
    }
  });
});

describe("npm start that cannot start", () => {
  test("says that the port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    expect(await fail(["--port", String(port)])).toContain("already in use");
    server.close();
  });

  test("says why the Worker does not build", async () => {
    const config = join(directory, "wrangler.toml");
    await cp(join(projectRoot, "wrangler.toml"), config);
    expect(await fail(["--port", "0", "--config", config])).toContain("src/index.ts");
  });

  test.each([
    [["--port", "70000"], "--port 70000"],
    [["--var", "ANONYMOUS"], "--var ANONYMOUS"],
    [["--prot", "1"], "--prot"],
  ])("refuses %j", async (args, part) => {
    expect(await fail(args)).toContain(part);
  });
});
