import type { Hono } from "hono";
import { createApp } from "../../../src/app.ts";
import { type Config, type Env, readConfig } from "../../../src/config.ts";
import { type GcStep, runGcStep } from "../../../src/maintenance/gc/run.ts";
import { retentionOf } from "../../../src/maintenance/gc/settings.ts";
import { createRegistry, type Registry } from "../../../src/registry.ts";

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

interface Built {
  readonly config: Config;
  readonly registry: Registry;
  readonly fetch: Hono["fetch"];
}

let built: Built | undefined;

function build(env: Env): Built {
  const config = readConfig(env);
  const registry = createRegistry(config, { bucket: env.BUCKET, kv: env.TAGS, cache: caches.default, clock });
  return { config, registry, fetch: createApp(registry).fetch };
}

/** The registry, and a way to run a step of garbage collection with a patience that no configuration allows. */
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    built ??= build(env);
    if (new URL(request.url).pathname !== "/collect") return built.fetch(request, env, context);
    const { policy, ...step } = await request.json<GcStep>();
    const retention = retentionOf(built.config);
    return Response.json(
      await runGcStep(built.registry.store, { ...step, policy: { ...policy, retention } }),
    );
  },
};
