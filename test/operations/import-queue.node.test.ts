import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { emptyImage } from "../events/push.ts";
import { entryOf, variablesOf } from "../upstream/edge-entry.ts";
import { useRegistry } from "../wire/registry.ts";

/** Milliseconds that the queue and the steps may take, on a busy machine. */
const patience = { timeout: 60_000, interval: 200 };

const upstream = useRegistry();
let registry: LocalRegistry;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "skerry-imports-"));
  registry = await startLocalRegistry({
    config: join(projectRoot, "examples/imports.toml"),
    persistTo: directory,
    vars: variablesOf({ upstreams: [entryOf("other.example", { url: upstream().origin })] }),
  });
});

afterAll(async () => {
  await registry?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

it("an import goes on by the queue of examples/imports.toml alone", async () => {
  await emptyImage(upstream().origin, "team/app", "1");
  const probe = new RegistryProbe(new URL(upstream().origin).host);
  const digest = await probe.digest("team/app", "1");
  const begun = await fetch(`${registry.origin}/v2/team/copy/_skerry/imports`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "other.example/team/app:1" }),
  });
  expect(begun.status).toBe(202);
  const location = begun.headers.get("Location") ?? "";
  const state = async () => ((await (await fetch(location)).json()) as { readonly state: string }).state;
  await vi.waitUntil(async () => (await state()) !== "open", patience);
  expect(await state()).toBe("done");
  await new RegistryProbe(new URL(registry.origin).host).verify("team/copy", "1", digest);
});
