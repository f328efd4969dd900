import type { RegistryEvent } from "./event.ts";

export const distributionMediaType = "application/vnd.docker.distribution.events.v2+json";

const actions: Readonly<Partial<Record<RegistryEvent["type"], string>>> = {
  push: "push",
  pull: "pull",
  mount: "mount",
  delete: "delete",
  "tag.deleted": "delete",
  "tag.expired": "delete",
};

/**
 * The event as distribution's notifications tell it, or undefined for one that it has no words for: that a push
 * set a tag is told by the push. A tag that was moved without one is told as a push by tag.
 */
export function distributionEvent(event: RegistryEvent): object | undefined {
  const action = actions[event.type] ?? (event.restored ? "push" : undefined);
  if (action === undefined) return undefined;
  const { origin, request, actor } = event;
  const host = origin && new URL(origin).host;
  return {
    id: event.id,
    timestamp: event.time,
    action,
    target: targetOf(event, action),
    request: {
      id: request?.id,
      addr: request?.address,
      host,
      method: request?.method,
      useragent: request?.agent,
    },
    actor: { name: actor },
    source: { addr: host, instanceID: "skerry" },
  };
}

/** Of what is deleted only the name is told: a tag, or else a digest. */
function targetOf(event: RegistryEvent, action: string): object {
  const { repository, digest, tag, mediaType, size, from, kind, origin } = event;
  if (action === "delete") return { repository, ...(tag === undefined ? { digest } : { tag }) };
  const path = kind === "blob" ? "blobs" : "manifests";
  return {
    mediaType,
    digest,
    size,
    length: size,
    repository,
    fromRepository: from,
    url: origin && `${origin}/v2/${repository}/${path}/${digest}`,
    tag,
  };
}
