import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../../src/oci/digest.ts";
import type { BlobId } from "./content.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Repositories of a registry that are remembered for one blob. */
const maxRepositories = 4;
const day = 24 * 3600 * 1000;
/** Milliseconds: an upload session of Skerry's lives a week, and nobody else's lives longer. */
const unfinishedKept = 7 * day;
/** Milliseconds for which is remembered what became of a layer, and where it went. */
const hintsKept = 90 * day;

/**
 * What is kept from one run to the next, each record in a file of its own below `skerry/` in the XDG state folder, so
 * that runs beside each other disturb nobody; and the folder for compressed layers, in the XDG cache folder. Losing
 * it costs time and nothing else.
 */
export class Memory {
  /** Where layers are compressed to. */
  readonly spool: string;
  readonly #state: string;

  private constructor(state: string, spool: string) {
    this.#state = state;
    this.spool = spool;
  }

  /** Opens it, and takes out what is too old, and what runs that were killed had not finished writing. */
  static async open({ XDG_STATE_HOME, XDG_CACHE_HOME, HOME = homedir() }: Environment): Promise<Memory> {
    const state = join(XDG_STATE_HOME || join(HOME, ".local", "state"), "skerry");
    const spool = join(XDG_CACHE_HOME || join(HOME, ".cache"), "skerry", "layers");
    const folders = [
      [join(state, "uploads"), unfinishedKept],
      [spool, unfinishedKept],
      [join(state, "blobs"), hintsKept],
      [join(state, "layers"), hintsKept],
    ] as const;
    for (const [folder, kept] of folders) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await removeOld(folder, kept);
    }
    return new Memory(state, spool);
  }

  /** The newest Location of the unfinished upload of a blob. @param target `host/repository`. */
  async upload(target: string, digest: Digest): Promise<URL | undefined> {
    const record = await this.#read(uploadFile(target, digest));
    return typeof record?.location === "string" ? new URL(record.location) : undefined;
  }

  async rememberUpload(target: string, digest: Digest, location: URL): Promise<void> {
    await this.#write(uploadFile(target, digest), { target, digest, location: location.href });
  }

  async forgetUpload(target: string, digest: Digest): Promise<void> {
    await rm(join(this.#state, uploadFile(target, digest)), { force: true });
  }

  /** Repositories of a registry that had the blob, the last one first. */
  async repositoriesWith(host: string, digest: Digest): Promise<readonly string[]> {
    const { repositories } = (await this.#read(blobFile(host, digest))) ?? {};
    return Array.isArray(repositories) ? repositories.map(String) : [];
  }

  async rememberBlob(host: string, digest: Digest, repository: string): Promise<void> {
    const known = await this.repositoriesWith(host, digest);
    if (known[0] === repository) return;
    const repositories = [repository, ...known.filter((each) => each !== repository)].slice(
      0,
      maxRepositories,
    );
    await this.#write(blobFile(host, digest), { host, digest, repositories });
  }

  /** What a layer becomes when it is compressed, if that was done before. @param diffId of its tar. */
  async compressed(diffId: Digest): Promise<BlobId | undefined> {
    return (await this.#read(layerFile(diffId))) as BlobId | undefined;
  }

  async rememberCompressed(diffId: Digest, { digest, size }: BlobId): Promise<void> {
    await this.#write(layerFile(diffId), { digest, size });
  }

  async #read(file: string): Promise<Record<string, unknown> | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#state, file), "utf8")) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }

  /** By a rename, so that nobody ever reads half a record. */
  async #write(file: string, record: unknown): Promise<void> {
    const path = join(this.#state, file);
    const draft = `${path}.${process.pid}`;
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
    await rename(draft, path);
  }
}

function uploadFile(target: string, digest: Digest): string {
  return join("uploads", `${nameOf(`${target}@${digest}`)}.json`);
}

function blobFile(host: string, digest: Digest): string {
  return join("blobs", `${nameOf(`${host} ${digest}`)}.json`);
}

function layerFile(diffId: Digest): string {
  return join("layers", `${nameOf(diffId)}.json`);
}

function nameOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function removeOld(folder: string, kept: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    const isOld = Date.now() - info.mtimeMs > kept;
    if (isOld || isAbandoned(name)) await rm(path, { recursive: true, force: true });
  }
}

/** Whether it is a draft of a process that is no more. */
function isAbandoned(name: string): boolean {
  const pid = /\.(\d+)$/.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
