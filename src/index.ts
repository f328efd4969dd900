import type { Hono } from "hono";
import { createApp, createBrokenApp } from "./app.ts";
import { ConfigError, type Env, readConfig } from "./config.ts";
import { consume } from "./events/consumer.ts";
import { type Happening, tagExpired } from "./events/event.ts";
import { consumeImports, driveImports } from "./imports/drive.ts";
import { withImporter } from "./imports/settings.ts";
import { consumeBucketEvents } from "./maintenance/events/consume.ts";
import { runGcStep } from "./maintenance/gc/run.ts";
import { gcStep } from "./maintenance/gc/settings.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { countedStore, OperationCounts } from "./storage/operation-counts.ts";
import { matchesTag } from "./storage/tag-pattern.ts";

type Fetch = Hono["fetch"];

/** One app for each environment, which is one for an isolate; what it keeps in memory lives as long. */
const apps = new WeakMap<Env, Fetch>();

/** A pass of garbage collection begins a day, in milliseconds, after the last one, give or take a cron's run. */
const passEvery = 23 * 3600 * 1000;

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

function appFor(env: Env): Fetch {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const { fetch } = build(env);
  apps.set(env, fetch);
  return fetch;
}

function registryOf(env: Env): Registry {
  const platform = {
    bucket: env.BUCKET,
    kv: env.TAGS,
    cache: caches.default,
    clock,
    log: console.log,
    loginLimit: env.RL,
    metrics: env.METRICS,
    queue: env.EVENTS,
    importQueue: env.IMPORTS,
  };
  return createRegistry(readConfig(env), platform);
}

function build(env: Env): { readonly fetch: Fetch } {
  try {
    return createApp(registryOf(env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`configuration: ${error.message}`);
    return createBrokenApp();
  }
}

/** What takes the messages of each queue, by its name. */
const consumers: Readonly<Record<string, (batch: MessageBatch, registry: Registry) => Promise<void>>> = {
  "skerry-bucket-events": takeBucketEvents,
  "skerry-events": deliverEvents,
  // Has no consumer until somebody wants its messages tried again.
  "skerry-events-dead": deliverEvents,
  "skerry-imports": goOnWithImports,
};

/** Events for webhooks (docs/events.md). */
async function deliverEvents(batch: MessageBatch, { config, log }: Registry): Promise<void> {
  await consume(batch.messages, {
    webhooks: config.webhooks,
    retrySeconds: config.eventsRetrySeconds,
    send: (url, init) => fetch(url, init),
    clock,
    log: config.log === "off" ? () => undefined : log,
  });
}

/** Event notifications of the bucket: another registry writes to it (docs/big-layers.md). */
async function takeBucketEvents(batch: MessageBatch, { config, store }: Registry): Promise<void> {
  if (config.foreignWrites !== "events" || config.readOnly) {
    // Nothing is lost: an adoption of the whole bucket finds it.
    console.warn(
      "event notifications of the bucket are dropped: FOREIGN_WRITES is not events, or READ_ONLY is set",
    );
    return batch.ackAll();
  }
  const report = await consumeBucketEvents(store, batch.messages, {
    operations: config.operationsPerRequest,
    isImmutable: (name, tag) => matchesTag(config.immutableTags, name, tag),
  });
  if (report.adopted + report.again + report.notes.length > 0)
    console.log(JSON.stringify({ event: "bucket-events", ...report }));
}

/** Imports that are not done (docs/big-layers.md). */
async function goOnWithImports(batch: MessageBatch, registry: Registry): Promise<void> {
  // The cron goes on with them once that is over.
  if (registry.config.readOnly) return batch.ackAll();
  await withImporter(registry, undefined, (importer) =>
    consumeImports(importer, registry.importQueue, batch.messages),
  );
}

/**
 * One step of garbage collection; a pass that needs more goes on with the next run.
 * @param operationsPerRequest that the step may use.
 */
async function collectGarbage(
  { config, store, events }: Registry,
  operationsPerRequest: number,
): Promise<void> {
  const expired: Happening[] = [];
  const step = gcStep(
    { ...config, operationsPerRequest },
    {
      every: passEvery,
      onExpired: ({ name, tag, target }) => expired.push(tagExpired(name, tag, target)),
    },
  );
  // A step that fails in the middle has removed tags all the same.
  const { phase, report } = await runGcStep(store, step).finally(() =>
    events.publish(expired, { origin: config.publicUrl }),
  );
  console.log(JSON.stringify({ event: "gc", phase, ...report }));
}

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    return appFor(env)(request, env, ctx);
  },

  /**
   * Imports that nobody else goes on with, then a step of garbage collection. The platform counts what both ask of R2
   * together: imports, which mostly need next to nothing, get a half of it at most.
   */
  async scheduled(_controller: ScheduledController, env: Env): Promise<void> {
    const registry = registryOf(env);
    const { config } = registry;
    if (config.readOnly) return;
    const { operationsPerRequest } = config;
    const share = config.gc ? Math.ceil(operationsPerRequest / 2) : operationsPerRequest;
    const counts = new OperationCounts();
    const store = countedStore(registry.store, counts);
    const parts = { ...registry, store, config: { ...config, operationsPerRequest: share } };
    try {
      await withImporter(parts, undefined, driveImports);
    } finally {
      if (config.gc) await collectGarbage(registry, operationsPerRequest - counts.total);
    }
  },

  /** A batch of one of the queues that wrangler.toml makes the Worker a consumer of. */
  async queue(batch: MessageBatch, env: Env): Promise<void> {
    const consume = consumers[batch.queue];
    if (consume === undefined) throw new Error(`nothing is known of the queue ${batch.queue}`);
    await consume(batch, registryOf(env));
  },
};
