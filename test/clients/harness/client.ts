import type { Fixtures } from "../fixtures/images.ts";
import type { Cleanup } from "./cleanup.ts";
import type { ClosedServer } from "./closed.ts";
import type { GoTool } from "./go-tools.ts";
import type { Mirror } from "./mirror.ts";
import type { Processes } from "./processes.ts";
import type { RegistryProbe } from "./registry.ts";

/** What is tried with each client that can do it; the rows of the matrix, in the order of running. */
export const features = [
  "start",
  "push",
  "pull",
  "run",
  "build",
  "inspect",
  "list tags",
  "catalog",
  "index",
  "12 layers",
  "zstd layer",
  "schema 2",
  "100 MiB layer",
  "mount",
  "resumed pull",
  "partial pull",
  "body limit",
  "skerry push",
  "referrers",
  "sign",
  "chart",
  "login",
  "mirror",
  "delete",
] as const;

export type Feature = (typeof features)[number];

/** A check throws when it fails, and throws `Skip` when it cannot be made here. */
export type Check = () => Promise<void>;

/** Why a check cannot be made here. */
export class Skip extends Error {}

/** What every client works with. */
export interface Lab {
  readonly processes: Processes;
  readonly registry: RegistryProbe;
  readonly fixtures: Fixtures;
  /** Undefined when the registry under test is not one that was started here. */
  readonly closed: ClosedServer | undefined;
  /** Undefined too when there is no docker-registry. */
  readonly mirror: Mirror | undefined;
  /** A folder for this client alone, empty at first. */
  readonly dir: string;
  /** Undone when the client has had its turn. */
  readonly cleanup: Cleanup;
}

/** A client that is ready to use. */
export interface Client {
  /** What the client says of itself; a Go tool has its pinned version. */
  readonly version?: string;
  /** A feature without a check is one that the client does not offer. */
  readonly checks: Partial<Record<Exclude<Feature, "start">, Check>>;
}

/** A client as the catalogue knows it. */
export interface ClientEntry {
  readonly name: string;
  /** Debian packages that it needs. */
  readonly packages: readonly string[];
  readonly goTool?: GoTool;
  /** @param program the path of the built Go tool; empty for a client from Debian. */
  readonly open: (lab: Lab, program: string) => Promise<Client>;
}
