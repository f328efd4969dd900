import * as v from "valibot";
import { RegistryError } from "../oci/error.ts";
import { type LiveRobot, readRobot, type StoredRobot, writeRobot } from "../storage/robots.ts";
import type { Store } from "../storage/store.ts";
import { makeAccountKey } from "./account-key.ts";
import { type Account, keyHash } from "./accounts.ts";
import { type Grant, grantsJson, grantsSchema, repositoryPattern } from "./grants.ts";

/** What a robot is issued with. */
export interface RobotRequest {
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Unix time in milliseconds. */
  readonly expiresAt: number | undefined;
}

/** A robot with its key, which is told this once. */
export interface IssuedRobot {
  readonly name: string;
  readonly key: string;
  readonly robot: LiveRobot;
}

const grants = grantsSchema(repositoryPattern);

/** The account of a robot that is neither revoked nor expired: one read. */
export async function findRobot(store: Store, name: string): Promise<Account | undefined> {
  const { record } = await readRobot(store, name);
  if (record?.state !== "live" || isExpired(record, store.clock.now())) return undefined;
  const hash = v.safeParse(keyHash, record.hash);
  const granted = v.safeParse(grants, record.grants);
  if (!hash.success || !granted.success) return undefined;
  return { name, hash: hash.output, grants: granted.output, admin: false };
}

/** Whether a robot's time is over at `now` (Unix time in milliseconds). */
export function isExpired({ expiresAt }: LiveRobot, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/**
 * Makes a robot; the name of a revoked or an expired one may be used again.
 * @param by who asks, for the record.
 * @throws RegistryError DENIED (409) if there is one of this name.
 */
export async function issueRobot(store: Store, request: RobotRequest, by: string): Promise<IssuedRobot> {
  const before = await readRobot(store, request.name);
  const now = store.clock.now();
  if (before.record?.state === "live" && !isExpired(before.record, now)) throw taken(request.name);
  return write(store, before, {
    state: "live",
    hash: "",
    grants: grantsJson(request.grants),
    createdBy: by,
    createdAt: now,
    ...(request.expiresAt !== undefined && { expiresAt: request.expiresAt }),
  });
}

/**
 * Gives a robot another key; the one before is not taken from now on.
 * @throws RegistryError NAME_UNKNOWN (404) for a robot that is not there, DENIED (409) if it is being changed.
 */
export async function rotateRobot(store: Store, name: string): Promise<IssuedRobot> {
  const before = await readRobot(store, name);
  if (before.record?.state !== "live") throw unknown(name);
  return write(store, before, { ...before.record, rotatedAt: store.clock.now() });
}

/**
 * Revokes a robot: its key is not taken from now on, and tokens got with it die within their five minutes. What
 * is revoked may be revoked again.
 * @throws RegistryError NAME_UNKNOWN (404) for a robot that is not there, DENIED (409) if it is being changed.
 */
export async function revokeRobot(store: Store, name: string, by: string): Promise<void> {
  const before = await readRobot(store, name);
  if (before.version === undefined) throw unknown(name);
  if (before.record?.state === "revoked") return;
  const record = { state: "revoked", revokedBy: by, revokedAt: store.clock.now() } as const;
  if (!(await writeRobot(store, before, record))) throw taken(name);
}

async function write(store: Store, before: StoredRobot, robot: LiveRobot): Promise<IssuedRobot> {
  const { key, hash } = await makeAccountKey();
  if (!(await writeRobot(store, before, { ...robot, hash }))) throw taken(before.name);
  return { name: before.name, key, robot };
}

function taken(name: string): RegistryError {
  return new RegistryError("DENIED", { status: 409, message: `${name} exists, or is being changed` });
}

function unknown(name: string): RegistryError {
  return new RegistryError("NAME_UNKNOWN", { message: `there is no ${name}` });
}
