import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { withStore } from "../../scripts/commands/local-store.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { parseRepositoryName } from "../../src/oci/name.ts";
import { digestOf, manifestOf, pushManifest } from "../wire/fixtures.ts";

let state: string;
const name = parseRepositoryName("team/app");
const manifest = manifestOf("checked");

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "skerry-check-"));
  const registry = await startLocalRegistry({ persistTo: state });
  try {
    await pushManifest(registry.port, name, "1", manifest);
  } finally {
    await registry.stop();
  }
});

afterAll(() => rm(state, { recursive: true }));

/** Runs `npm run skerry -- check <args>` without npm, on the state that `npm start` left. */
async function check(...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    [join(projectRoot, "scripts/skerry.ts"), "check", ...args, "--persist-to", state],
    { env: { ...process.env, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { status, output, errors };
}

it("is clean on what npm start left, digests included", async () => {
  const { status, output, errors } = await check("--verify-digests");
  expect(output, errors).toMatch(/^\d+ keys: 0 findings, 0 repaired, 0 left\n$/);
  expect(status).toBe(0);
});

it("tells what is wrong, repairs it when asked to, and is clean again", async () => {
  await withStore({ "persist-to": state }, async ({ bucket, layout }) => {
    await bucket.delete(layout.catalog(name));
    await bucket.put(layout.blobData(digestOf("{}") as never), "[]");
  });
  const missing = /^missing catalog entry: team\/app$/m;
  const wrong = new RegExp(`^wrong digest: ${digestOf("{}")}$`, "m");

  const found = await check("team/app", "--verify-digests");
  expect(found.output).toMatch(missing);
  expect(found.output).toMatch(wrong);
  expect(found.status).toBe(1);
  expect((await check("other")).status).toBe(0);

  const repaired = await check("--repair");
  expect(repaired.output).toMatch(/^missing catalog entry: team\/app \(repaired\)$/m);
  expect(repaired.status).toBe(0);
  expect((await check()).status).toBe(0);
});

it.each(["a b", "Not/A-Name", "--no-such-option"])("refuses %s", async (args) => {
  const { status, output, errors } = await check(...args.split(" "));
  expect(output).toBe("");
  expect(errors).not.toBe("");
  expect(status).toBe(2);
});
