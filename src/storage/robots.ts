import * as v from "valibot";
import { tryParseJson } from "../oci/json.ts";
import { mapBounded } from "./bounded.ts";
import { swap, type Version } from "./register.ts";
import type { Store } from "./store.ts";

const live = v.object({
  state: v.literal("live"),
  /** Hash of the robot's key. */
  hash: v.string(),
  /** Actions, separated by commas, by pattern of repository names. */
  grants: v.record(v.string(), v.string()),
  createdBy: v.string(),
  /** Unix time in milliseconds, as all times here. */
  createdAt: v.number(),
  rotatedAt: v.optional(v.number()),
  /** From then on the key is not taken any more. */
  expiresAt: v.optional(v.number()),
});
const revoked = v.object({ state: v.literal("revoked"), revokedBy: v.string(), revokedAt: v.number() });
const record = v.variant("state", [live, revoked]);

export type LiveRobot = v.InferOutput<typeof live>;
export type RobotRecord = v.InferOutput<typeof record>;

/** A robot as the bucket has it, for a later write: undefined if it never had one, or one that cannot be read. */
export interface StoredRobot {
  readonly name: string;
  readonly version: Version;
  readonly record: RobotRecord | undefined;
}

/** Reads a robot: one read of R2, which is strongly consistent, so that revoking holds from the next request on. */
export async function readRobot(store: Store, name: string): Promise<StoredRobot> {
  const object = await store.bucket.get(store.layout.account(name));
  if (object === null) return { name, version: undefined, record: undefined };
  const result = v.safeParse(record, tryParseJson(await object.text()));
  return { name, version: object.etag, record: result.success ? result.output : undefined };
}

/**
 * Writes a robot if nobody else did since it was read.
 * @returns false if somebody did.
 */
export async function writeRobot(store: Store, before: StoredRobot, after: RobotRecord): Promise<boolean> {
  // The nonce makes each version distinct, as in every register.
  const body = JSON.stringify({ ...after, nonce: crypto.randomUUID() });
  return (await swap(store, store.layout.account(before.name), before.version, body, {})) !== undefined;
}

/** The robots after `last` in the order of their names, `limit` at most (1 to 1,000); each costs a read. */
export async function listRobots(
  store: Store,
  limit: number,
  last: string | undefined,
): Promise<{ readonly robots: readonly StoredRobot[]; readonly more: boolean }> {
  const prefix = store.layout.accounts();
  const startAfter = last === undefined ? {} : { startAfter: prefix + last };
  const page = await store.bucket.list({ prefix, limit, ...startAfter });
  const names = page.objects.map(({ key }) => key.slice(prefix.length));
  const robots = await mapBounded(names, store.concurrency, (name) => readRobot(store, name));
  return { robots, more: page.truncated };
}
