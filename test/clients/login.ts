import assert from "node:assert/strict";
import { makeAccountKey } from "../../src/auth/account-key.ts";
import { type Lab, Skip } from "./harness/client.ts";

/** What clients say of a 401 or 403; a client that fails for another reason says something else. */
const refusal =
  /unauthori[sz]ed|authentication required|insufficient_scope|denied|invalid username\/password|no basic auth|40[13]/i;

/** What a client does to log in, and then; each rejects if the client fails. */
export interface LoginSteps {
  login(host: string, name: string, key: string): Promise<unknown>;
  /** Pushes an image to this reference. */
  push(reference: string): Promise<unknown>;
  pull(reference: string): Promise<unknown>;
}

/**
 * Checks that a client gets into a closed registry with its key, and only with that, and only where the account may:
 * by the token flow, or with credentials in every request, as it likes. Its repositories are called `client`.
 */
export async function checkLogin(
  { closed }: Lab,
  client: string,
  steps: LoginSteps,
  tag = "v1",
): Promise<void> {
  if (closed === undefined) throw new Skip("the registry under test cannot be closed from here");
  const { host, name, key } = closed;
  const own = `${host}/team/${client}:${tag}`;
  await expectRefusal(steps.pull(own), "pulled without logging in");
  const wrongKey = (await makeAccountKey()).key;
  const withWrongKey = steps.login(host, name, wrongKey).then(() => steps.push(own));
  await expectRefusal(withWrongKey, "pushed with a wrong key");

  await steps.login(host, name, key);
  await steps.push(own);
  await steps.pull(own);
  const others = `${host}/other/${client}:${tag}`;
  await expectRefusal(steps.push(others), "pushed where the account may not");
  const headers = { Authorization: `Basic ${Buffer.from(`${name}:${key}`).toString("base64")}` };
  const pushed = await fetch(`http://${host}/v2/team/${client}/manifests/${tag}`, {
    method: "HEAD",
    headers,
  });
  assert.equal(pushed.status, 200, "what was pushed is not there");
}

async function expectRefusal(work: Promise<unknown>, otherwise: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => String(reason),
  );
  if (error === undefined) throw new Error(otherwise);
  assert.match(error, refusal);
}
