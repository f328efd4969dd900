import type { MiddlewareHandler } from "hono";
import { AuthenticationError } from "../auth/authentication-error.ts";
import { RegistryError } from "../oci/error.ts";
import type { AppEnv, RegistryContext } from "./context.ts";
import { serviceOf } from "./location.ts";
import { refused, rejected } from "./refusal.ts";

/** Seconds for which an address whose logins failed too often is told to wait: the period of the binding. */
const limitPeriod = 60;

/** Finds out who asks, and lets nobody pass who may not talk to the registry at all. */
export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { auth, store } = c.var.registry;
  const access = auth.authenticate(store, c.req.header("Authorization"), serviceOf(c));
  c.set("access", await orRejected(c, access, () => rejected(c)));
  if (!c.var.access.admitted) throw refused(c);
  await next();
};

/**
 * Waits for somebody to be found out.
 * @throws RegistryError that `refusal` makes if the credentials are not good, TOOMANYREQUESTS (429) once too many
 *   from that address were not: never to one who has good ones, whom no guesser on his address can lock out.
 */
export async function orRejected<Found>(
  c: RegistryContext,
  found: Promise<Found>,
  refusal: () => RegistryError,
): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error;
    c.set("refusal", error.message);
    throw (await isLimited(c)) ? tooMany() : refusal();
  }
}

async function isLimited(c: RegistryContext): Promise<boolean> {
  const { loginLimit } = c.var.registry;
  // Cloudflare sets this header, and no client can.
  const key = c.req.header("CF-Connecting-IP") ?? "unknown";
  return loginLimit !== undefined && !(await loginLimit.limit({ key })).success;
}

function tooMany(): RegistryError {
  return new RegistryError("TOOMANYREQUESTS", {
    message: "too many failed logins",
    headers: { "Retry-After": String(limitPeriod) },
  });
}
