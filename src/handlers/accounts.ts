import * as v from "valibot";
import { robotName } from "../auth/accounts.ts";
import { grantsSchema, repositoryPattern } from "../auth/grants.ts";
import { type IssuedRobot, isExpired, issueRobot, revokeRobot, rotateRobot } from "../auth/robots.ts";
import { RegistryError } from "../oci/error.ts";
import { type LiveRobot, listRobots, type StoredRobot } from "../storage/robots.ts";
import { malformed, requireAdmin, requireJson } from "./admin.ts";
import type { RegistryContext } from "./context.ts";
import { readJson } from "./json-request.ts";
import { jsonPage, pageParams } from "./paging.ts";

/** Robots on a page at most, and when the client does not say how many; each costs a read. */
const pageSize = 100;
/** Bytes of the body of a request at most. */
const maxBody = 64 * 1024;

const robotRequest = v.strictObject({
  name: robotName,
  grants: grantsSchema(repositoryPattern),
  expiresAt: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => Date.parse(text)),
      v.number("a time such as 2030-01-31T12:00:00Z expected"),
    ),
  ),
});

/** GET `/v2/_skerry/accounts` (docs/api.md): the robots, without their keys, which nobody keeps. */
export async function getRobots(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  const { n, last } = pageParams(c);
  const limit = Math.min(Math.max(n ?? pageSize, 1), pageSize);
  const { store } = c.var.registry;
  const { robots, more } = await listRobots(store, limit, last);
  const accounts = robots.map((robot) => describe(robot, store.clock.now()));
  return jsonPage(c, { accounts }, more ? { n: limit, last: robots.at(-1)?.name } : undefined);
}

/**
 * POST `/v2/_skerry/accounts` (docs/api.md): issues a robot, `{"name", "grants", "expiresAt"?}`, and tells its key
 * this once.
 */
export async function postRobot(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  const { name, grants, expiresAt } = await readJson(c, robotRequest, maxBody);
  const { store } = c.var.registry;
  if (expiresAt !== undefined && expiresAt <= store.clock.now()) throw malformed("expiresAt is past");
  const issued = await issueRobot(store, { name, grants, expiresAt }, c.var.access.caller.name);
  return keyResponse(issued, 201);
}

/** POST `/v2/_skerry/accounts/<name>/rotate` (docs/api.md): gives a robot another key, and tells it this once. */
export async function postRotation(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  requireJson(c);
  return keyResponse(await rotateRobot(c.var.registry.store, nameParam(c)), 200);
}

/** DELETE `/v2/_skerry/accounts/<name>` (docs/api.md): revokes a robot. */
export async function deleteRobot(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  await revokeRobot(c.var.registry.store, nameParam(c), c.var.access.caller.name);
  return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
}

function nameParam(c: RegistryContext): string {
  const name = c.req.param("account") ?? "";
  if (!v.is(robotName, name)) throw new RegistryError("NAME_UNKNOWN", { message: "there is no such robot" });
  return name;
}

function keyResponse({ name, key, robot }: IssuedRobot, status: number): Response {
  return new Response(`${JSON.stringify({ name, key, ...describeLive(robot) })}\n`, {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}

function describe({ name, record }: StoredRobot, now: number) {
  if (record === undefined) return { name, state: "damaged" };
  if (record.state === "live") {
    return { name, state: isExpired(record, now) ? "expired" : "live", ...describeLive(record) };
  }
  return { name, state: "revoked", revokedBy: record.revokedBy, revokedAt: iso(record.revokedAt) };
}

function describeLive({ grants, createdBy, createdAt, rotatedAt, expiresAt }: LiveRobot) {
  return {
    grants,
    createdBy,
    createdAt: iso(createdAt),
    rotatedAt: iso(rotatedAt),
    expiresAt: iso(expiresAt),
  };
}

function iso(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
