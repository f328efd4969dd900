import { readReports, runGcStep } from "../maintenance/gc/run.ts";
import { gcStep } from "../maintenance/gc/settings.ts";
import { malformed, requireAdmin, requireJson } from "./admin.ts";
import { type RegistryContext, seeThrough } from "./context.ts";
import { jsonPage } from "./paging.ts";

/** GET `/v2/_skerry/gc` (docs/garbage-collection.md): the reports of the last passes, newest first. */
export async function getReports(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  return jsonPage(c, { reports: await readReports(c.var.registry.store) }, undefined);
}

/**
 * POST `/v2/_skerry/gc` (docs/garbage-collection.md): one step of a pass, and where the pass then stands. With
 * `dry-run=true` nothing is changed, and the report tells what would go as far as one step sees.
 */
export async function postStep(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  requireJson(c);
  const { store, config } = c.var.registry;
  const dryRun = c.req.query("dry-run") ?? "false";
  if (dryRun !== "true" && dryRun !== "false") throw malformed("dry-run is true or false");
  const step = gcStep(config, { every: 0, dryRun: dryRun === "true" });
  const state = await seeThrough(c, runGcStep(store, step));
  const { phase, report } = state;
  return jsonPage(c, { phase, report }, undefined);
}
