import type { Happening } from "../events/event.ts";
import type { Events } from "../events/events.ts";
import { type RetentionRule, ruleFor } from "../maintenance/retention/rules.ts";
import type { ReferenceRules } from "../oci/reference.ts";
import { countedStore } from "../storage/operation-counts.ts";
import type { Store } from "../storage/store.ts";
import { matchesTag, type TagPattern } from "../storage/tag-pattern.ts";
import type { PullThrough } from "../upstream/pull-through.ts";
import type { Importer } from "./importer.ts";
import { Usage } from "./turn.ts";

/** Bytes of a range, and milliseconds for one: an upstream has to send 280 KB a second. */
const rangeSize = 32 * 1024 * 1024;
const transferTime = { range: 120_000, whole: 600_000 };

/** Milliseconds of a step: within what Workers grant to what goes on after an answer. */
const stepTime = 20_000;
/**
 * Requests to upstreams of an invocation: within the 50 of the Free plan, where each is redirected. Where more
 * operations are allowed than that plan grants there are 10,000, or as many as are configured.
 */
const fewestRequests = 20;
const operationsForRequest = 50;

/** The parts of a registry that imports need. */
export interface ImportParts {
  readonly store: Store;
  readonly pullThrough: PullThrough;
  readonly log: (line: string) => void;
  readonly config: ReferenceRules & {
    readonly publicUrl: string | undefined;
    readonly log: string;
    readonly repositoryClasses: readonly string[];
    readonly missingReferences: "refuse" | "accept";
    readonly immutableTags: readonly TagPattern[];
    readonly retention: readonly RetentionRule[];
    readonly singlePutLimit: number;
    readonly maxSegments: number;
    readonly operationsPerRequest: number;
  };
}

/** What imports of a registry work with in one invocation of the Worker. @param announce told of what webhooks are to hear of. */
export function createImporter(
  { store, pullThrough, log, config }: ImportParts,
  announce: (...happenings: readonly Happening[]) => void,
): Importer {
  const usage = new Usage();
  return {
    store: countedStore(store, usage.operations),
    client: pullThrough.client,
    blobs: pullThrough.blobs,
    listings: pullThrough.listings,
    upstreamOf: (name) => pullThrough.repository(name),
    rules: config,
    repositoryClasses: config.repositoryClasses,
    acceptsMissing: config.missingReferences === "accept",
    isImmutable: (name, tag) => matchesTag(config.immutableTags, name, tag),
    mayBeMarked: (name) => ruleFor(config.retention, name)?.untagged !== undefined,
    singlePutLimit: config.singlePutLimit,
    maxSegments: config.maxSegments,
    allowance: {
      time: stepTime,
      requests: Math.max(fewestRequests, Math.floor(config.operationsPerRequest / operationsForRequest)),
      operations: config.operationsPerRequest,
    },
    usage,
    rangeSize,
    transferTime,
    log: config.log === "off" ? () => undefined : log,
    announce,
  };
}

/**
 * Does work of imports that no request is part of, and has webhooks told of what came of it.
 * @param origin scheme and host of the registry, if something told of them.
 */
export async function withImporter<Result>(
  parts: ImportParts & { readonly events: Events },
  origin: string | undefined,
  work: (importer: Importer) => Promise<Result>,
): Promise<Result> {
  const happened: Happening[] = [];
  const importer = createImporter(parts, (...happenings) => happened.push(...happenings));
  // What fails in the middle has set tags all the same.
  return work(importer).finally(() =>
    parts.events.publish(happened, { origin: parts.config.publicUrl ?? origin }),
  );
}
