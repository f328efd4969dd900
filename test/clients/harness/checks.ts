import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProxyOptions, type RegistryProxy, startProxy } from "./proxy.ts";

/** Runs `use` with a proxy before the registry at `target`, and closes the proxy. */
export async function withProxy(
  target: string,
  options: ProxyOptions,
  use: (proxy: RegistryProxy) => Promise<void>,
): Promise<void> {
  const proxy = await startProxy(target, options);
  try {
    await use(proxy);
  } finally {
    await proxy.close();
  }
}

/** Asserts that the client asked for a mount and got it. */
export function assertMounted(proxy: RegistryProxy): void {
  const mounts = proxy.exchanges.filter(({ method, path }) => method === "POST" && path.includes("mount="));
  assert.ok(mounts.length > 0, "no mount was asked for");
  for (const { path, status } of mounts) assert.equal(status, 201, `POST ${path}: ${status}`);
}

/** Asserts that a cut download was taken up where it had broken off, and not from the start. */
export function assertResumed(proxy: RegistryProxy): void {
  const ranged = proxy.exchanges.filter(({ method, range }) => method === "GET" && range !== undefined);
  assert.ok(ranged.length > 0, "no request with a Range");
  for (const { path, range, status } of ranged) assert.equal(status, 206, `GET ${path} ${range}: ${status}`);
}

/** Asserts that two lists have the same members. */
export function assertSameMembers(actual: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
}

/** The digest of the one manifest that an OCI layout names. */
export async function layoutDigest(dir: string): Promise<string | undefined> {
  const index = JSON.parse(await readFile(join(dir, "index.json"), "utf8")) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  return index.manifests[0]?.digest;
}

export function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
