import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { everything } from "../auth/grants.ts";
import type { Circumstances } from "../events/event.ts";
import { dataPoint } from "../observe/data-point.ts";
import { logLine } from "../observe/log-line.ts";
import type { RequestRecord } from "../observe/request-record.ts";
import { serverTiming } from "../observe/server-timing.ts";
import { RegistryError } from "../oci/error.ts";
import type { Registry } from "../registry.ts";
import { countedCache, countedStore } from "../storage/operation-counts.ts";
import type { AppEnv, RegistryContext } from "./context.ts";
import { Trace } from "./trace.ts";

/** Characters that are kept of what comes from outside. */
const maxId = 100;
const maxName = 512;
const maxAgent = 200;

/**
 * Gives the request the registry over counted bindings and, once its answer is decided, logs it and begins what is
 * left for after the answer: nothing of that is in the counts.
 */
export function observe(registry: Registry): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const trace = new Trace();
    const { operations } = trace;
    const { store, edgeCache } = registry;
    c.set("trace", trace);
    c.set("registry", {
      ...registry,
      store: countedStore(store, operations),
      edgeCache: edgeCache && countedCache(edgeCache, operations),
    });
    const begin = store.clock.now();
    await next();
    const record = recordOf(c, trace, begin);
    report(c, record);
    publish(c, trace, record);
    for (const work of trace.deferred) c.executionCtx.waitUntil(work().catch(reportFailure));
  };
}

function report(c: RegistryContext, record: RequestRecord): void {
  const { config, log, metrics } = c.var.registry;
  const line = logLine(record, config.log);
  if (line !== undefined) log(line);
  try {
    metrics?.writeDataPoint(dataPoint(record));
  } catch (error) {
    // A request is not worth less for not being counted.
    console.error("a data point was refused", error);
  }
  if (mayKnow(c)) c.res.headers.set("Server-Timing", serverTiming(record));
}

function publish(c: RegistryContext, { happenings, deferred }: Trace, record: RequestRecord): void {
  const { events, config } = c.var.registry;
  if (!events.enabled || happenings.length === 0) return;
  const { id, method, address, agent, caller, scheme } = record;
  const circumstances: Circumstances = {
    origin: config.publicUrl ?? c.var.url.origin,
    request: { id, method, address, agent },
    actor: scheme === "none" ? undefined : caller,
  };
  deferred.push(() => events.publish(happenings, circumstances));
}

/**
 * Who may do everything learns nothing from counts. Others might: looking for a blob to mount, say, takes the
 * more reads the more repositories have it, theirs or not.
 */
function mayKnow({ var: { registry, access } }: RegistryContext): boolean {
  const { serverTiming: audience } = registry.config;
  if (audience !== "admins") return audience === "everybody";
  return access !== undefined && (access.admin || registry.auth.everybody === everything);
}

function recordOf(c: RegistryContext, trace: Trace, begin: number): RequestRecord {
  // Refused requests reach no route's handler, and those in vain no access.
  const access = c.var.access as RegistryContext["var"]["access"] | undefined;
  const { store } = c.var.registry;
  const route = routeOf(c);
  const now = store.clock.now();
  return {
    id: c.req.header("CF-Ray")?.slice(0, maxId) ?? crypto.randomUUID(),
    at: now,
    method: c.req.method,
    route,
    path: c.req.path,
    repository: trace.repository,
    reference: referenceOf(route, c.req.path),
    status: c.res.status,
    error: errorCode(c.error),
    reason: c.var.refusal,
    bytesIn: lengthIn(c.req.raw.headers),
    bytesOut: c.req.method === "HEAD" ? 0 : lengthIn(c.res.headers),
    duration: now - begin,
    operations: trace.operations,
    // Of an identity token: issuer and subject, as long as they may be.
    caller: access?.caller.name.slice(0, maxName),
    scheme: access?.caller.scheme,
    address: c.req.header("CF-Connecting-IP"),
    agent: c.req.header("User-Agent")?.slice(0, maxAgent),
  };
}

/** The first route that matches, middleware aside, is the one that answers. */
function routeOf(c: RegistryContext): string | undefined {
  const route = matchedRoutes(c).find(({ path }) => !path.endsWith("*"));
  return route?.path.replaceAll(/\{[^}]*\}/g, "");
}

function referenceOf(route: string | undefined, path: string): RequestRecord["reference"] {
  if (route?.endsWith("/:reference"))
    return /:|%3a/i.test(path.slice(path.lastIndexOf("/"))) ? "digest" : "tag";
  if (route?.endsWith("/:digest")) return "digest";
  if (route?.endsWith("/:session")) return "upload";
  return route?.includes("/:tag/") ? "tag" : undefined;
}

function errorCode(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof RegistryError ? error.entries[0]?.code : "UNKNOWN";
}

function lengthIn(headers: Headers): number | undefined {
  const length = headers.get("Content-Length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

function reportFailure(error: unknown): void {
  console.error("deferred work failed", error);
}
