import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client, Credentials } from "../scripts/registry-client.ts";
import { LayoutWriter } from "../test/clients/fixtures/layout.ts";
import type { Processes } from "../test/clients/harness/processes.ts";
import { newContent, newManifest, Repository } from "./support/registry.ts";
import type { Operation } from "./support/round.ts";

/** What a case runs against, and with. */
export interface Subject {
  readonly client: Client;
  readonly credentials: Credentials | undefined;
  /** Begins the names of all repositories of this run. */
  readonly prefix: string;
  readonly processes: Processes;
  /** For files of a case. */
  readonly dir: string;
  /** Tags of the repository with many. */
  readonly tags: number;
}

/** Gives so many operations, all prepared. */
export type Prepare = (count: number) => Promise<readonly Operation[]>;

/** One load. */
export interface Case {
  readonly name: string;
  /** Operations of a round, and how many of them at once. */
  readonly operations: number;
  readonly width: number;
  /** Bytes that one operation moves, where that is the point. */
  readonly bytes?: number;
  /** Sets a registry up for the case. */
  open(subject: Subject): Promise<Prepare>;
}

const mebibyte = 1024 * 1024;

export const cases: readonly Case[] = [
  {
    name: "manifest GET by tag",
    operations: 400,
    width: 8,
    async open(subject) {
      const { repository } = await image(subject);
      return again(() => repository.manifest("1"));
    },
  },
  {
    name: "manifest GET by digest",
    operations: 400,
    width: 8,
    async open(subject) {
      const { repository, digest } = await image(subject);
      return again(() => repository.manifest(digest));
    },
  },
  blobGet("blob GET, 1 KB", 1000, 400, 8),
  blobGet("blob GET, 1 MB", mebibyte, 60, 4),
  blobGet("blob GET, 100 MB", 100 * mebibyte, 3, 1),
  blobPush("blob push, 1 KB, POST + PUT", 1000, 40, "pushInOne"),
  blobPush("blob push, 1 KB, POST + PATCH + PUT", 1000, 40, "pushByPatch"),
  blobPush("blob push, 100 MB, POST + PUT", 100 * mebibyte, 1, "pushInOne"),
  blobPush("blob push, 100 MB, POST + PATCH + PUT", 100 * mebibyte, 1, "pushByPatch"),
  {
    name: "manifest PUT by tag, 5 layers",
    operations: 40,
    width: 1,
    async open(subject) {
      const { repository, config, layers } = await image(subject);
      return each(async () => {
        const manifest = newManifest(config, layers);
        return () => repository.put(manifest.digest.slice(7, 27), manifest);
      });
    },
  },
  {
    name: "image push, 12 layers, 30 MB (skopeo)",
    operations: 1,
    width: 1,
    bytes: 30 * mebibyte,
    async open(subject) {
      return each(async () => {
        const layout = await newLayout(subject);
        return () => copy(subject, `oci:${layout}:v1`, `docker://${reference(subject, "pushed")}`);
      });
    },
  },
  {
    name: "image pull, 12 layers, 30 MB (skopeo)",
    operations: 1,
    width: 1,
    bytes: 30 * mebibyte,
    async open(subject) {
      await copy(subject, `oci:${await newLayout(subject)}:v1`, `docker://${reference(subject, "pulled")}`);
      return each(async () => {
        const target = await mkdtemp(join(subject.dir, "pulled-"));
        return async () => {
          await copy(subject, `docker://${reference(subject, "pulled")}`, `dir:${target}`);
          await rm(target, { recursive: true });
        };
      });
    },
  },
  {
    name: "tags/list, many tags",
    operations: 3,
    width: 1,
    async open(subject) {
      const repository = await manyTags(subject);
      return again(() => repository.tags());
    },
  },
  {
    name: "DELETE by digest among many tags",
    operations: 5,
    width: 1,
    async open(subject) {
      const repository = await manyTags(subject);
      const { config, layers } = await blobs(repository);
      return each(async () => {
        const manifest = newManifest(config, layers);
        await repository.put("doomed", manifest);
        return () => repository.delete(manifest.digest);
      });
    },
  },
];

/** The same operation each time. */
function again(operation: Operation): Prepare {
  return async (count) => Array.from({ length: count }, () => operation);
}

/** An operation of its own each time. */
function each(make: () => Promise<Operation>): Prepare {
  return async (count) => {
    const operations = [];
    for (let index = 0; index < count; index++) operations.push(await make());
    return operations;
  };
}

function blobGet(name: string, size: number, operations: number, width: number): Case {
  return {
    name,
    operations,
    width,
    bytes: size,
    async open({ client, prefix }) {
      const repository = new Repository(client, `${prefix}/blobs`);
      const blob = newContent(size);
      await repository.pushInOne(blob);
      return again(() => repository.blob(blob.digest));
    },
  };
}

function blobPush(name: string, size: number, operations: number, push: "pushInOne" | "pushByPatch"): Case {
  return {
    name,
    operations,
    width: 1,
    bytes: size,
    async open({ client, prefix }) {
      const repository = new Repository(client, `${prefix}/blobs`);
      return each(async () => {
        const blob = newContent(size);
        return () => repository[push](blob);
      });
    },
  };
}

async function blobs(repository: Repository) {
  const [config, ...layers] = Array.from({ length: 6 }, () => newContent(1000));
  if (config === undefined) throw new Error("no configuration");
  for (const blob of [config, ...layers]) await repository.pushInOne(blob);
  return { config, layers };
}

/** An image of five small layers under the tag 1. */
async function image({ client, prefix }: Subject) {
  const repository = new Repository(client, `${prefix}/image`);
  const { config, layers } = await blobs(repository);
  const manifest = newManifest(config, layers);
  await repository.put("1", manifest);
  return { repository, config, layers, digest: manifest.digest };
}

const filled = new WeakMap<Client, Promise<Repository>>();

/** The repository in which every one of many tags names a manifest of its own. It is filled once. */
function manyTags(subject: Subject): Promise<Repository> {
  const known = filled.get(subject.client) ?? fill(subject);
  filled.set(subject.client, known);
  return known;
}

async function fill({ client, prefix, tags }: Subject): Promise<Repository> {
  const repository = new Repository(client, `${prefix}/tags`);
  const { config, layers } = await blobs(repository);
  let next = 0;
  const work = async () => {
    for (let tag = next++; tag < tags; tag = next++) {
      await repository.put(`tag-${tag}`, newManifest(config, layers));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return repository;
}

/** An image that no registry has seen, as skopeo reads it. */
async function newLayout({ dir }: Subject): Promise<string> {
  const layout = await mkdtemp(join(dir, "layout-"));
  const writer = await LayoutWriter.create(layout);
  const layers = [];
  for (let index = 0; index < 12; index++) {
    layers.push(await writer.layer(newContent(2.5 * mebibyte).bytes, "stored"));
  }
  const { manifest } = await writer.image({ os: "linux", architecture: "amd64" }, layers);
  await writer.finish(manifest, "v1");
  return layout;
}

function reference({ client, prefix }: Subject, repository: string): string {
  return `${new URL(client.origin).host}/${prefix}/${repository}:1`;
}

async function copy({ client, credentials, processes }: Subject, from: string, to: string): Promise<void> {
  const remote = from.startsWith("docker:") ? "src" : "dest";
  const options = client.origin.startsWith("https:") ? [] : [`--${remote}-tls-verify=false`];
  if (credentials) options.push(`--${remote}-creds`, `${credentials.name}:${credentials.password}`);
  await processes.run(["skopeo", "copy", "--quiet", ...options, from, to], { timeout: 120 });
}
