import * as v from "valibot";
import { type GcReport, reasons } from "../maintenance/gc/report.ts";
import { readReports, runGcStep } from "../maintenance/gc/run.ts";
import { gcStep } from "../maintenance/gc/settings.ts";
import type { GcState } from "../maintenance/gc/state.ts";
import { flag, requireAdmin, requireJson } from "./admin.ts";
import { announceExpiry, type RegistryContext, seeThrough } from "./context.ts";
import { readJson } from "./json-request.ts";
import { jsonPage } from "./paging.ts";

/** Bytes of the body of a request at most: a state has its report with it. */
const maxBody = 64 * 1024;

/** Where a dry run stands, as its last step told the client. */
const resumption = v.strictObject({
  resume: v.strictObject({
    pass: v.number(),
    phase: v.picklist(["repositories", "blobs"]),
    cursor: v.optional(v.string()),
    count: v.number(),
    claimsSince: v.number(),
    claimsUntil: v.optional(v.number()),
    adoption: v.optional(v.number()),
    foreign: v.boolean(),
    rules: v.optional(v.string()),
    rulesSince: v.optional(v.number()),
    report: v.custom<GcReport>((value) => v.is(report, value)),
  }),
});
const report = v.looseObject({
  startedAt: v.string(),
  dryRun: v.literal(true),
  counts: v.record(v.string(), v.number()),
  notes: v.array(v.string()),
});

/** GET `/v2/_skerry/gc` (docs/garbage-collection.md): the reports of the last passes, newest first. */
export async function getReports(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  return jsonPage(c, { reports: await readReports(c.var.registry.store), reasons }, undefined);
}

/**
 * POST `/v2/_skerry/gc` (docs/garbage-collection.md): one step of a pass, and where the pass then stands. With
 * `dry-run=true` nothing is changed, and what the next step needs to go on is for the client to send with it.
 */
export async function postStep(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  requireJson(c);
  const { store, config } = c.var.registry;
  const dryRun = flag(c, "dry-run");
  const step = gcStep(config, { every: 0, dryRun, onExpired: announceExpiry(c) });
  const resume = step.dryRun ? await resumed(c) : undefined;
  const state = await seeThrough(c, runGcStep(store, step, resume));
  const { phase } = state;
  const goesOn = step.dryRun && phase !== "done";
  return jsonPage(c, { phase, report: state.report, reasons, ...(goesOn && { resume: state }) }, undefined);
}

async function resumed(c: RegistryContext): Promise<GcState | undefined> {
  if (c.req.raw.body === null || c.req.header("Content-Length") === "0") return undefined;
  const { cursor, claimsUntil, adoption, rules, rulesSince, ...state } = (
    await readJson(c, resumption, maxBody)
  ).resume;
  return {
    ...state,
    ...(cursor !== undefined && { cursor }),
    ...(claimsUntil !== undefined && { claimsUntil }),
    ...(adoption !== undefined && { adoption }),
    ...(rules !== undefined && { rules }),
    ...(rulesSince !== undefined && { rulesSince }),
  };
}
