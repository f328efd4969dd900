import { setTimeout as delay } from "node:timers/promises";
import type { Display } from "./progress.ts";
import { findCredentials } from "./registry/credentials.ts";
import { type ImageReference, registryUrl } from "./registry/reference.ts";
import { Registry } from "./registry/registry.ts";

/** Failures in a row after which a registry is given up: a little over two minutes. */
const attempts = 9;

/** The registry of a reference, asked with the user's credentials. */
export function connect(
  { host, name }: ImageReference,
  plainHttp: boolean | undefined,
  display: Display,
): Registry {
  return new Registry({
    url: registryUrl(host, plainHttp),
    credentials: () => findCredentials(host, name),
    retries: {
      attempts,
      sleep: (milliseconds) => delay(milliseconds),
      random: Math.random,
      report: (failure, milliseconds) =>
        display.line(`${failure.message}; again in ${(milliseconds / 1000).toFixed(1)} s`),
    },
  });
}
