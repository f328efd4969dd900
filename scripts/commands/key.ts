import { parseArgs } from "node:util";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { makeAccountKey } from "../../src/auth/account-key.ts";
import { parseAccounts } from "../../src/auth/accounts.ts";
import type { Command } from "./command.ts";
import { readGrants } from "./grants.ts";

/** A new TOKEN_KEY, as one line of JSON. */
export async function makeTokenKey(): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) });
}

/**
 * A new account: its key, and the entry for ACCOUNTS as one line of JSON.
 * @throws Error if the registry would not take the entry.
 */
export async function makeAccount(
  name: string,
  grants: Readonly<Record<string, string>>,
  admin: boolean,
): Promise<{ readonly key: string; readonly entry: string }> {
  const { key, hash } = await makeAccountKey();
  const entry = JSON.stringify({ name, hash, ...(admin ? { admin } : { grants }) });
  parseAccounts(`[${entry}]`);
  return { key, entry };
}

export const keyCommand: Command = {
  usage: `key                         Make a TOKEN_KEY:
                              npm run -s skerry -- key | npx wrangler secret put TOKEN_KEY
key --account NAME          Make a key for an account, and its entry for the ACCOUNTS secret
    --grant PATTERN=ACTIONS what it may do: pull, push, delete; may be repeated
    --admin                 it may do everything, and manage robots`,

  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        account: { type: "string" },
        grant: { type: "string", multiple: true, default: [] },
        admin: { type: "boolean", default: false },
      },
    });
    if (values.account === undefined) return console.log(await makeTokenKey());
    const { key, entry } = await makeAccount(values.account, readGrants(values.grant), values.admin);
    console.log(`key    ${key}`);
    console.log(`entry  ${entry}`);
    console.log("The key is shown this once; the entry goes into the list of the ACCOUNTS secret.");
  },
};
