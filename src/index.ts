import type { Hono } from "hono";
import { createApp, createBrokenApp } from "./app.ts";
import { ConfigError, type Env, readConfig } from "./config.ts";
import { createRegistry } from "./registry.ts";

type Fetch = Hono["fetch"];

/** One app for each environment, which is one for an isolate; what it keeps in memory lives as long. */
const apps = new WeakMap<Env, Fetch>();

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

function build(env: Env): { readonly fetch: Fetch } {
  try {
    const platform = { bucket: env.BUCKET, kv: env.TAGS, clock, log: console.log, loginLimit: env.RL };
    return createApp(createRegistry(readConfig(env), platform));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`configuration: ${error.message}`);
    return createBrokenApp();
  }
}

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    return appFor(env)(request, env, ctx);
  },
};
