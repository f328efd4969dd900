import { setTimeout as delay } from "node:timers/promises";
import type { Display } from "./progress.ts";
import { findCredentials } from "./registry/credentials.ts";
import { type ImageReference, registryUrl } from "./registry/reference.ts";
import { Registry } from "./registry/registry.ts";

/** Failures in a row after which a registry is given up: after a minute or a little more. */
const attempts = 9;
/** Milliseconds in which one failure is told: the blobs under way all meet the same. */
const tellEvery = 1000;

/** The registry of a reference, asked with the user's credentials. */
export function connect(
  { host, name }: ImageReference,
  plainHttp: boolean | undefined,
  display: Display,
): Registry {
  let told = 0;
  return new Registry({
    url: registryUrl(host, plainHttp),
    credentials: () => findCredentials(host, name),
    retries: {
      attempts,
      sleep: (milliseconds) => delay(milliseconds),
      random: Math.random,
      report(failure, milliseconds) {
        if (Date.now() - told < tellEvery) return;
        told = Date.now();
        display.line(`${failure.message}; again in ${(milliseconds / 1000).toFixed(1)} s`);
      },
    },
  });
}
