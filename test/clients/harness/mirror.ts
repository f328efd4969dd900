import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startDistribution, treeBelow } from "../../interchange/distribution.ts";
import { clientFiles, documentedFile, documentedUpstreams } from "../../upstream/documented.ts";
import { entryOf } from "../../upstream/edge-entry.ts";
import { type FaultProxy, startFaultProxy } from "../../upstream/fault-proxy.ts";
import { remoteOrigin } from "../../upstream/origin.ts";
import { bigLayer, mebibyte } from "../fixtures/images.ts";
import type { Cleanup } from "./cleanup.ts";
import { type Lab, Skip } from "./client.ts";
import type { Processes } from "./processes.ts";
import { RegistryProbe } from "./registry.ts";
import { type Server, startServer } from "./server.ts";

/** A Skerry before docker-registry in the part of docker.io, configured as docs/pull-through.md says. */
export interface Mirror extends Server {
  /** Between the two: it counts requests, and can be killed. */
  readonly upstream: FaultProxy;
  readonly distribution: RegistryProbe;
}

/** Where the mirror is for clients that ask it for nothing but docker.io. */
export function dockerHost({ host }: Mirror): string {
  return host.replace("127.0.0.1", "localhost");
}

export async function startMirror(processes: Processes, parent: string, cleanup: Cleanup): Promise<Mirror> {
  const dir = join(parent, "mirror");
  await mkdir(dir);
  const distribution = await startDistribution({ processes, dir }, treeBelow(join(dir, "tree")));
  cleanup.add(() => distribution.stop());
  const upstream = await startFaultProxy(remoteOrigin(distribution.host));
  cleanup.add(() => upstream.kill());
  const server = await startServer(processes, join(dir, "state"), {
    UPSTREAMS: JSON.stringify(
      documentedUpstreams().map((entry) =>
        // Nothing is fresh: each pull by tag wants to look at the upstream again.
        entry.prefix === "docker.io"
          ? { ...entry, ...entryOf(entry.prefix, upstream), hosts: ["localhost"], library: true, fresh: 0 }
          : entry,
      ),
    ),
  });
  cleanup.add(() => server.stop());
  return { ...server, upstream, distribution: new RegistryProbe(distribution.host) };
}

/** Writes a client's file of docs/pull-through.md below `dir`, with the mirror's address for that of the page. */
export async function writeDocumented(
  mirror: Mirror,
  client: keyof typeof clientFiles,
  dir: string,
  more = "",
): Promise<string> {
  const text = documentedFile(clientFiles[client])
    .replaceAll("https://docker.edge.example.com", `http://${dockerHost(mirror)}`)
    .replaceAll("https://edge.example.com", `http://${mirror.host}`)
    .replaceAll("edge.example.com", mirror.host);
  const file = join(dir, clientFiles[client]);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text + more);
  return file;
}

/** What a client does with an image of docker.io; each rejects if the client fails. */
export interface MirrorSteps {
  /** Pulls an image by the name that it has on Docker Hub. @returns its digest, or its image ID. */
  pull(reference: string): Promise<string>;
  /** Removes all that the client has of it. */
  remove(reference: string): Promise<unknown>;
}

/**
 * Checks that a client gets an image of docker.io through the mirror, under its own name, and again when the upstream
 * is gone. Nobody else has the image's second layer.
 * @param identity which of the two `pull` returns.
 */
export async function checkMirror(
  lab: Lab,
  client: string,
  identity: "digest" | "imageId",
  makeSteps: (mirror: Mirror) => Promise<MirrorSteps>,
): Promise<void> {
  const { mirror, processes, dir } = lab;
  if (mirror === undefined) throw new Skip("it needs docker-registry, and a Skerry that was started here");
  const { upstream, distribution } = mirror;
  const fixture = await bigLayer(processes, join(dir, `mirrored-${client}`), mebibyte);
  const repository = `library/${client}`;
  const target = `docker://${distribution.reference(repository, "v1")}`;
  await processes.run(["skopeo", "copy", "--dest-tls-verify=false", `oci:${fixture.layout}:v1`, target]);
  await distribution.verify(repository, "v1", fixture.digest);

  const steps = await makeSteps(mirror);
  const reference = `docker.io/${repository}:v1`;
  upstream.forget();
  assert.equal(await steps.pull(reference), fixture[identity]);
  const asked = upstream.seen.map(({ method, path }) => `${method} ${path}`);
  assert.ok(
    asked.includes(`GET /v2/${repository}/manifests/v1`),
    `the upstream was asked ${asked.join(", ")}`,
  );
  await steps.remove(reference);
  await upstream.kill();
  try {
    assert.equal(await steps.pull(reference), fixture[identity]);
  } finally {
    await upstream.revive();
  }
}
