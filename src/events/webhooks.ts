import * as v from "valibot";
import { repositoryPattern } from "../auth/grants.ts";
import { readSecretJson } from "../auth/secret-json.ts";
import { isPublicUrl } from "../oci/public-url.ts";
import { matchesWildcard } from "../oci/wildcard.ts";
import { type EventType, eventTypes, type Happening } from "./event.ts";

/** How events are written: distribution's envelope, or a CloudEvent, or several in one request. */
export const formats = ["distribution", "cloudevents", "cloudevents-batch"] as const;

/** Somebody who is told of events. */
export interface Webhook {
  /** By which the queue and the log know it. */
  readonly name: string;
  readonly url: string;
  /** The key that signs what it is sent. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly format: (typeof formats)[number];
  readonly events: readonly EventType[];
  readonly repositories: readonly string[];
  /** Whether it is told of blobs too. */
  readonly blobs: boolean;
  /** Seconds that it has for an answer. */
  readonly timeout: number;
}

const prefix = "whsec_";
const everythingButPulls = eventTypes.filter((type) => type !== "pull");

const secret = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const key = decode(dataset.value);
    if (key !== undefined && key.byteLength >= 24 && key.byteLength <= 64) return key;
    addIssue({ message: `${prefix} and 24 to 64 bytes in base64 expected` });
    return NEVER;
  }),
);

const schema = v.pipe(
  v.array(
    v.pipe(
      v.strictObject({
        name: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)),
        url: v.pipe(v.string(), v.url()),
        secret,
        format: v.optional(v.picklist(formats), "cloudevents"),
        events: v.optional(v.array(v.picklist(eventTypes)), everythingButPulls),
        repositories: v.optional(v.array(repositoryPattern), ["*"]),
        blobs: v.optional(v.boolean(), false),
        timeout: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30)), 10),
        private: v.optional(v.boolean(), false),
      }),
      v.check(
        (webhook) => webhook.private || isPublicUrl(new URL(webhook.url)),
        'an https URL of a public host expected, or "private": true',
      ),
      v.check(({ url }) => /^https?:$/.test(new URL(url).protocol), "an http or https URL expected"),
      v.transform(({ private: _, ...webhook }): Webhook => webhook),
    ),
  ),
  v.check(
    (webhooks) => new Set(webhooks.map(({ name }) => name)).size === webhooks.length,
    "two webhooks have the same name",
  ),
);

/**
 * The webhooks of WEBHOOKS (docs/events.md): `[{"name": "deploy", "url": "https://hooks.example.com/skerry", "secret":
 * "whsec_…", "events": ["push", "tag.moved"], "repositories": ["team/*"]}]`.
 * @throws Error that says where it is wrong, and nothing of what stands there.
 */
export function parseWebhooks(text: string): readonly Webhook[] {
  return readSecretJson(schema, text);
}

/** Whether a webhook is to be told. */
export function wants(webhook: Webhook, { type, kind, repository }: Happening): boolean {
  return (
    webhook.events.includes(type) &&
    (kind !== "blob" || webhook.blobs) &&
    webhook.repositories.some((pattern) => matchesWildcard(pattern, repository))
  );
}

function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!text.startsWith(prefix)) return undefined;
  try {
    return Uint8Array.from(atob(text.slice(prefix.length)), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
