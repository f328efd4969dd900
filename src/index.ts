import { createApp } from "./app.ts";
import { ConfigError, type Env, readConfig } from "./config.ts";
import { errorResponse } from "./handlers/errors.ts";
import { createRegistry } from "./registry.ts";

type App = ReturnType<typeof createApp>;

/** One app for each environment, which is one for an isolate; what it keeps in memory lives as long. */
const apps = new WeakMap<Env, App>();

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

function appFor(env: Env): App {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const app = createApp(createRegistry(readConfig(env), { bucket: env.BUCKET, kv: env.TAGS, clock }));
  apps.set(env, app);
  return app;
}

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    try {
      return appFor(env).fetch(request, env, ctx);
    } catch (error) {
      if (error instanceof ConfigError) console.error(`configuration: ${error.message}`);
      return errorResponse(error);
    }
  },
};
