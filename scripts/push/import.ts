import { setTimeout as delay } from "node:timers/promises";
import { type Digest, tryParseDigest } from "../../src/oci/digest.ts";
import type { Display } from "./progress.ts";
import { RegistryFailure } from "./registry/failure.ts";
import type { ImportStatus, Imports, WantedImport } from "./registry/imports.ts";
import type { ImageReference } from "./registry/reference.ts";

/** Milliseconds between two looks at a step that is under way. */
const lookEvery = 2000;

/**
 * What the registry of `target` is asked for when it is to fetch `source`: by the upstream whose prefix is the host, or,
 * where the source is at the same host, by that which its name begins with.
 * @param referrers whether what refers to the image is to come too.
 * @throws Error if both name a digest, and not the same one.
 */
export function wantedImport(
  source: ImageReference,
  target: ImageReference,
  referrers: boolean,
): WantedImport {
  const digest = source.digest ?? target.digest;
  if (target.digest !== undefined && target.digest !== digest)
    throw new Error(`the image is ${digest}, and cannot be imported as ${target.digest}`);
  const host = source.host.toLowerCase();
  return {
    repository: host === target.host.toLowerCase() ? source.name : `${host}/${source.name}`,
    reference: digest ?? source.tag ?? "latest",
    tags: target.tag === undefined ? [] : [target.tag],
    referrers,
  };
}

/** The import that an earlier call has begun, or one that begins now. @throws RegistryFailure. */
export async function openImport(imports: Imports, wanted: WantedImport): Promise<ImportStatus> {
  return (await imports.findOpen(wanted)) ?? (await imports.begin(wanted));
}

/**
 * Drives an import step by step until it is over, and shows how far it is.
 * @returns the digest of the image.
 * @throws RegistryFailure; it is temporary where the import goes on, or may.
 */
export async function driveImport(imports: Imports, begun: ImportStatus, display: Display): Promise<Digest> {
  const task = display.task("import");
  let phase = "";
  const show = (status: ImportStatus) => {
    const now = phaseOf(status);
    if (now !== phase) task.phase(now, status.bytes.known);
    phase = now;
    task.set(status.bytes.done);
  };

  let status = begun;
  while (status.state === "open") {
    show(status);
    await pause(imports, status, display);
    status = await watched(imports, status.location, show);
  }
  const digest = status.digest === null ? undefined : tryParseDigest(status.digest);
  if (status.state !== "done" || digest === undefined) throw failureOf(status);
  task.end("imported", { digest, size: status.bytes.known });
  return digest;
}

function phaseOf({ manifests, blobs }: ImportStatus): string {
  if (manifests.known === 0) return "waiting";
  if (blobs.done < blobs.known) return `blobs ${blobs.done}/${blobs.known}`;
  return `manifests ${manifests.stored}/${manifests.known}`;
}

async function pause({ registry }: Imports, { wait, error }: ImportStatus, display: Display): Promise<void> {
  if (wait === 0) return;
  if (error !== undefined) display.line(`${error.message}; again in ${Math.round(wait / 1000)} s`);
  await registry.retries.sleep(wait);
}

/** A step, and a look at it every now and then, since it answers when it is over. */
async function watched(
  imports: Imports,
  location: URL,
  show: (status: ImportStatus) => void,
): Promise<ImportStatus> {
  const step = imports.step(location);
  const isOver = step.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([isOver, delay(lookEvery, false, { ref: false })]))) {
    const status = await Promise.race([step, imports.status(location)]).catch(() => undefined);
    if (status !== undefined) show(status);
  }
  return step;
}

function failureOf({ state, from, error }: ImportStatus): RegistryFailure {
  const why = error === undefined ? "" : `: ${error.code} ${error.message}`;
  return new RegistryFailure(
    state === "cancelled" ? `the import of ${from} was cancelled` : `${from} could not be imported${why}`,
  );
}
