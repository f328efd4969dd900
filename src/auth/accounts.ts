import * as v from "valibot";
import type { Digest } from "../oci/digest.ts";
import { tryParseKeyHash } from "./account-key.ts";
import { everything, type Grant, grantsSchema, repositoryPattern } from "./grants.ts";
import { readSecretJson } from "./secret-json.ts";

/** Somebody who has a key. */
export interface Account {
  readonly name: string;
  /** Hash of the key. */
  readonly hash: Digest;
  readonly grants: readonly Grant[];
  /** Manages robots, and may do everything: it could give itself a robot that may. */
  readonly admin: boolean;
}

/** Robots are kept in the bucket, under names that begin so; accounts of the configuration have other names. */
export const robotPrefix = "robot-";

const accountName = v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/));

/** The name of a robot. */
export const robotName = v.pipe(accountName, v.startsWith(robotPrefix));

export const keyHash = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Digest => {
    const hash = tryParseKeyHash(dataset.value);
    if (hash !== undefined) return hash;
    addIssue({ message: "sha256:<64 hex digits> expected" });
    return NEVER;
  }),
);

const schema = v.pipe(
  v.array(
    v.strictObject({
      name: v.pipe(
        accountName,
        v.check((name) => !name.startsWith(robotPrefix), "the name of a robot"),
      ),
      hash: keyHash,
      grants: v.optional(grantsSchema(repositoryPattern), {}),
      admin: v.optional(v.boolean(), false),
    }),
  ),
  v.check((accounts) => new Set(accounts.map(({ name }) => name)).size === accounts.length, "a name twice"),
);

/**
 * The accounts of the ACCOUNTS secret, by name:
 * `[{"name": "ci", "hash": "sha256:…", "grants": {"team/*": "pull,push"}}, {"name": "root", "hash": …, "admin": true}]`.
 * @throws Error that says where it is wrong, and nothing of what stands there.
 */
export function parseAccounts(text: string): ReadonlyMap<string, Account> {
  const accounts = readSecretJson(schema, text).map((account) => ({
    ...account,
    grants: account.admin ? everything : account.grants,
  }));
  return new Map(accounts.map((account) => [account.name, account]));
}
