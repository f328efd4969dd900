import { type AdoptState, readAdoption, restartAdoption, runAdoptStep } from "../maintenance/adopt.ts";
import { flag, requireAdmin, requireJson } from "./admin.ts";
import { type RegistryContext, seeThrough } from "./context.ts";
import { jsonPage } from "./paging.ts";

/** GET `/v2/_skerry/adopt` (docs/migrate.md): where the take-over of distribution's bucket stands. */
export async function getAdoption(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  return jsonPage(c, describe(await readAdoption(c.var.registry.store)), undefined);
}

/**
 * POST `/v2/_skerry/adopt` (docs/migrate.md): one step of the take-over, and where it then stands. With
 * `again=true` it begins anew, for a bucket that distribution has written to once more.
 */
export async function postAdoptStep(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  requireJson(c);
  const { store, config } = c.var.registry;
  if (flag(c, "again")) await restartAdoption(store);
  const state = await seeThrough(c, runAdoptStep(store, config.operationsPerRequest - 2));
  return jsonPage(c, describe(state), undefined);
}

function describe(state: AdoptState | undefined) {
  if (state === undefined) return { done: false };
  const { done, counts, notes } = state;
  return { done, counts, notes };
}
