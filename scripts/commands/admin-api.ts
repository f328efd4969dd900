/** A registry and who asks it. */
export interface Target {
  /** Where the registry answers, without a trailing slash. */
  readonly registry: string;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

/** The option of commands that work by way of a registry, as parseArgs takes it. */
export const registryOption = { registry: { type: "string" } } as const;

/** What `--help` says of it. */
export const registryUsage =
  "    --registry URL          the registry; SKERRY_ACCOUNT and SKERRY_KEY say who asks";

/** Sends a request to the admin API. @throws Error with the message of the registry if it refuses. */
export async function send(target: Target, method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(new URL(path, target.registry), {
    method,
    headers: { Authorization: target.authorization, "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(`${method} ${path}: ${response.status} ${messageOf(text)}`);
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { errors: { message: string }[] }).errors[0]?.message ?? text;
  } catch {
    return text;
  }
}

/** The registry of `--registry`, asked by the account of the environment. @throws Error naming what is missing. */
export function targetOf(registry: string | undefined): Target {
  const { SKERRY_ACCOUNT: account, SKERRY_KEY: key } = process.env;
  if (registry === undefined) throw new Error("--registry URL is missing");
  // Arguments can be seen by everybody on the machine.
  if (!account || !key) throw new Error("set SKERRY_ACCOUNT and SKERRY_KEY to an admin account and its key");
  return { registry, authorization: `Basic ${Buffer.from(`${account}:${key}`).toString("base64")}` };
}
