import type { Happening } from "../events/event.ts";
import type { RepositoryName } from "../oci/name.ts";
import { OperationCounts } from "../storage/operation-counts.ts";

/** What a request leaves behind for when its answer is decided. */
export class Trace {
  readonly operations = new OperationCounts();
  /** The repository of the route, once it was read. */
  repository: RepositoryName | undefined;
  /** What webhooks are to be told. */
  readonly happenings: Happening[] = [];
  /** Work for after the answer. */
  readonly deferred: (() => Promise<unknown>)[] = [];
}
