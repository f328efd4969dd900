import { describe, expect, it } from "vitest";
import { eventTypes, type RegistryEvent } from "../../src/events/event.ts";
import { messagesFor, written } from "../../src/events/message.ts";
import { parseWebhooks, type Webhook } from "../../src/events/webhooks.ts";
import { parseDigest } from "../../src/oci/digest.ts";
import { parseRepositoryName, tryParseTag } from "../../src/oci/name.ts";

const secret = `whsec_${btoa("0123456789abcdef01234567")}`;
const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const event: RegistryEvent = {
  id: "an-id",
  time: "2026-01-01T00:00:00.000Z",
  type: "push",
  kind: "manifest",
  repository: parseRepositoryName("team/app"),
  digest,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  size: 123,
  tag: tryParseTag("1"),
  origin: "https://registry.example",
  request: { id: "ray", method: "PUT", address: "192.0.2.1", agent: "crane" },
  actor: "ci",
};

function webhook(more: object): Webhook {
  const entry = {
    name: "one",
    url: "https://hooks.example.com/",
    secret,
    events: eventTypes,
    blobs: true,
    ...more,
  };
  const [parsed] = parseWebhooks(JSON.stringify([entry]));
  if (parsed === undefined) throw new Error("no webhook");
  return parsed;
}

function body(format: string, ...events: readonly RegistryEvent[]) {
  const hook = webhook({ format });
  const [message] = messagesFor([hook], events);
  if (message === undefined) return undefined;
  const { contentType, body: text } = written(hook, message);
  return { contentType, json: JSON.parse(text) };
}

describe("distribution's envelope", () => {
  it("has its fields", () => {
    expect(body("distribution", event)).toEqual({
      contentType: "application/vnd.docker.distribution.events.v2+json",
      json: {
        events: [
          {
            id: "an-id",
            timestamp: "2026-01-01T00:00:00.000Z",
            action: "push",
            target: {
              mediaType: "application/vnd.oci.image.manifest.v1+json",
              digest,
              size: 123,
              length: 123,
              repository: "team/app",
              url: `https://registry.example/v2/team/app/manifests/${digest}`,
              tag: "1",
            },
            request: {
              id: "ray",
              addr: "192.0.2.1",
              host: "registry.example",
              method: "PUT",
              useragent: "crane",
            },
            actor: { name: "ci" },
            source: { addr: "registry.example", instanceID: "skerry" },
          },
        ],
      },
    });
  });

  it.each([
    ["mount", { kind: "blob", from: "base" }, { action: "mount", target: { fromRepository: "base" } }],
    ["pull", { kind: "blob" }, { action: "pull", target: { url: expect.stringContaining("/blobs/") } }],
    ["delete", { tag: undefined }, { action: "delete", target: { repository: "team/app", digest } }],
    ["tag.deleted", { kind: "tag" }, { action: "delete", target: { repository: "team/app", tag: "1" } }],
    ["tag.expired", { kind: "tag" }, { action: "delete", target: { repository: "team/app", tag: "1" } }],
    ["tag.moved", { kind: "tag", restored: true }, { action: "push", target: { tag: "1" } }],
  ])("tells of %s with %j", (type, more, expected) => {
    const told = body("distribution", { ...event, ...more, type } as RegistryEvent);
    expect(told?.json.events).toMatchObject([expected]);
    if (expected.action === "delete") expect(told?.json.events[0].target).toEqual(expected.target);
  });

  it.each(["tag.created", "tag.moved"] as const)("has no words for %s, which the push told", (type) => {
    expect(body("distribution", { ...event, kind: "tag", type })).toBe(undefined);
  });
});

it("a registry that does not know its address tells of what expires all the same", () => {
  const { request: _, actor: __, ...rest } = event;
  const expired: RegistryEvent = { ...rest, type: "tag.expired", kind: "tag", origin: undefined };
  expect(body("cloudevents", expired)?.json).toMatchObject({ source: "skerry", subject: "team/app:1" });
  expect(body("distribution", expired)?.json.events[0]).toMatchObject({
    action: "delete",
    target: { repository: "team/app", tag: "1" },
    source: { instanceID: "skerry" },
  });
});

describe("a CloudEvent", () => {
  const expected = {
    specversion: "1.0",
    id: "an-id",
    source: "https://registry.example",
    type: "skerry.push",
    subject: "team/app:1",
    time: "2026-01-01T00:00:00.000Z",
    datacontenttype: "application/json",
    data: {
      kind: "manifest",
      repository: "team/app",
      digest,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      size: 123,
      tag: "1",
      request: { id: "ray", method: "PUT", address: "192.0.2.1", agent: "crane" },
      actor: "ci",
    },
  };

  it("stands alone, or in a batch", () => {
    expect(body("cloudevents", event)).toEqual({
      contentType: "application/cloudevents+json",
      json: expected,
    });
    expect(body("cloudevents-batch", event, event)).toEqual({
      contentType: "application/cloudevents-batch+json",
      json: [expected, expected],
    });
  });

  it("is about a digest where there is no tag", () => {
    expect(body("cloudevents", { ...event, tag: undefined })?.json.subject).toBe(`team/app@${digest}`);
  });
});
