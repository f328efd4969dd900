import type { Hono } from "hono";
import { createApp } from "../../../src/app.ts";
import { type Env, readConfig } from "../../../src/config.ts";
import { type GcStep, runGcStep } from "../../../src/maintenance/gc/run.ts";
import { createRegistry, type Registry } from "../../../src/registry.ts";

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

let built: { readonly registry: Registry; readonly fetch: Hono["fetch"] } | undefined;

function build(env: Env) {
  const platform = { bucket: env.BUCKET, kv: env.TAGS, cache: caches.default, clock };
  const registry = createRegistry(readConfig(env), platform);
  return { registry, fetch: createApp(registry).fetch };
}

/** The registry, and a way to run a step of garbage collection with a policy that no configuration allows. */
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    built ??= build(env);
    if (new URL(request.url).pathname !== "/collect") return built.fetch(request, env, context);
    return Response.json(await runGcStep(built.registry.store, await request.json<GcStep>()));
  },
};
