import type { RepositoryName } from "../../../src/oci/name.ts";
import { retryAfter } from "./answers.ts";
import { RegistryFailure } from "./failure.ts";
import type { Registry } from "./registry.ts";
import { bodyOf } from "./repository.ts";
import type { Answer } from "./transport.ts";

/** What a registry is to fetch. */
export interface WantedImport {
  /** The repository that the image comes from, as it is pulled through the registry: its upstream's prefix first. */
  readonly repository: string;
  /** Its tag or digest there. */
  readonly reference: string;
  /** The tags to be set. */
  readonly tags: readonly string[];
  /** Whether signatures and all else that refers to the image is to come too. */
  readonly referrers: boolean;
}

/** How far an import is. */
export interface ImportStatus {
  readonly location: URL;
  readonly state: "open" | "done" | "failed" | "cancelled";
  readonly from: string;
  readonly tags: readonly string[];
  readonly referrers: boolean;
  /** Null until the upstream has said it. */
  readonly digest: string | null;
  readonly manifests: { readonly known: number; readonly stored: number };
  readonly blobs: { readonly known: number; readonly done: number };
  readonly bytes: { readonly known: number; readonly done: number };
  /** Why the last step failed. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Milliseconds before which the registry has nothing new to tell. */
  readonly wait: number;
}

const json = { "Content-Type": "application/json" };
/** Milliseconds that a step may take: it ends with the commit of a blob that it has begun. */
const stepPatience = 900_000;

/** Imports into one repository of a Skerry (docs/api.md, "Imports"). */
export class Imports {
  readonly registry: Registry;
  readonly name: RepositoryName;
  readonly #scopes: readonly string[];

  constructor(registry: Registry, name: RepositoryName) {
    this.registry = registry;
    this.name = name;
    this.#scopes = [`repository:${name}:pull,push`];
  }

  /** Begins one. @throws RegistryFailure; it says so where the registry knows no imports, or no such upstream. */
  async begin(wanted: WantedImport): Promise<ImportStatus> {
    const { tags, referrers } = wanted;
    const request = {
      method: "POST",
      target: this.#path,
      headers: json,
      body: bodyOf(Buffer.from(JSON.stringify({ from: fromOf(wanted), tags, referrers }))),
      scopes: [...this.#scopes, `repository:${wanted.repository}:pull`],
    };
    const answer = await this.registry.ask(request, [202]).catch((error: unknown) => {
      throw explained(error, wanted);
    });
    const { location } = answer.headers;
    if (location === undefined)
      throw new RegistryFailure(`${this.registry.url.host} began an import without saying where it is`);
    return statusOf(answer, this.registry.resolve(location));
  }

  /** The newest one that is not over and brings the same under the same tags. @throws RegistryFailure. */
  async findOpen(wanted: WantedImport): Promise<ImportStatus | undefined> {
    const request = { method: "GET", target: this.#path, scopes: this.#scopes };
    // Any other answer comes again when one is to begin, and is explained there.
    const answer = await this.registry.ask(request, [200, 401, 403, 404, 405]);
    if (answer.status !== 200) return undefined;
    const { imports } = JSON.parse(answer.body.toString()) as {
      readonly imports: readonly { readonly id: string; readonly state: string }[];
    };
    for (const { id } of imports.filter(({ state }) => state === "open")) {
      const status = await this.status(this.registry.resolve(`${this.#path}/${id}`));
      if (status.state === "open" && isSame(status, wanted)) return status;
    }
    return undefined;
  }

  /** How far one is. @throws RegistryFailure. */
  async status(location: URL): Promise<ImportStatus> {
    const request = { method: "GET", target: location, scopes: this.#scopes };
    return statusOf(await this.registry.ask(request, [200]), location);
  }

  /** Has the registry take a step of it, unless it is at one, and tells how far it is then. @throws RegistryFailure. */
  async step(location: URL): Promise<ImportStatus> {
    const request = { method: "POST", target: location, headers: json, scopes: this.#scopes };
    return statusOf(await this.registry.ask({ ...request, patience: stepPatience }, [200]), location);
  }

  /** Ends one. @throws RegistryFailure. */
  async cancel(location: URL): Promise<void> {
    await this.registry.ask({ method: "DELETE", target: location, scopes: this.#scopes }, [204]);
  }

  get #path(): string {
    return `/v2/${this.name}/_skerry/imports`;
  }
}

function fromOf({ repository, reference }: WantedImport): string {
  return `${repository}${reference.includes(":") ? "@" : ":"}${reference}`;
}

function isSame(status: ImportStatus, wanted: WantedImport): boolean {
  const { from, tags, referrers } = status;
  return from === fromOf(wanted) && tags.join() === wanted.tags.join() && referrers === wanted.referrers;
}

function statusOf(answer: Answer, location: URL): ImportStatus {
  const told = JSON.parse(answer.body.toString()) as Omit<ImportStatus, "location" | "wait">;
  return { ...told, location, wait: retryAfter(answer.headers, Date.now()) ?? 0 };
}

/** Says what the user may do about a refusal. */
function explained(error: unknown, { repository }: WantedImport): unknown {
  if (!(error instanceof RegistryFailure)) return error;
  const { status, codes } = error;
  const isUnknown = status === 400 && codes.includes("UNSUPPORTED");
  if (!isUnknown && status !== 404 && status !== 405) return error;
  const hint = isUnknown
    ? `${repository} has to begin with the prefix of an entry in UPSTREAMS of the registry`
    : "the registry takes no imports there";
  return new RegistryFailure(`${error.message} (${hint})`, { status, codes, cause: error });
}
