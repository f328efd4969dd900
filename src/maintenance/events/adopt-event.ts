import { linkOf } from "../../storage/link.ts";
import type { Store } from "../../storage/store.ts";
import { adoptTagRemoval, settledAfter } from "../adopt-removals.ts";
import { type Adoption, adoptLayerLink } from "../foreign-links.ts";
import type { Following } from "./following.ts";
import { adoptManifest, adoptManifestRemoval } from "./foreign-manifest.ts";
import { followTag, reconcileLink } from "./foreign-tag.ts";
import type { BucketEvent } from "./message.ts";

/** What came of an event: as for a link, or that it has to be looked at again after so many milliseconds. */
export type EventOutcome = Adoption | { readonly after: number };

/**
 * Looks at the key that an event names, as it is now, and adopts what another registry wrote there. What Skerry
 * wrote is told by its metadata: one read at most.
 */
export async function adoptEvent(
  store: Store,
  following: Following,
  { key, isRemoval }: BucketEvent,
): Promise<EventOutcome> {
  const parsed = store.layout.parse(key);
  switch (parsed?.kind) {
    case "layerLink": {
      // What loses its link keeps its claim: that is garbage collection's.
      if (isRemoval) return "kept";
      const { name, digest } = parsed;
      const link = await store.bucket.head(key);
      if (link === null || linkOf(link, digest) !== undefined) return "kept";
      await following.onForeign();
      return adoptLayerLink(store, name, digest, "once");
    }
    case "revisionLink": {
      const { name, digest } = parsed;
      if (!isRemoval) return adoptManifest(store, following, name, digest);
      return (await adoptManifestRemoval(store, name, digest)) ? "adopted" : "kept";
    }
    case "tagIndexLink": {
      const { name, tag, digest } = parsed;
      return isRemoval ? "kept" : followTag(store, following, name, tag, digest);
    }
    case "currentLink": {
      const { name, tag } = parsed;
      if (!isRemoval) return reconcileLink(store, following, name, tag);
      const register = await store.bucket.head(store.layout.tag(name, tag));
      if (register === null) return "kept";
      const removal = await adoptTagRemoval(store, register, { kind: "tag", name, tag });
      if (removal === "unsettled") return { after: settledAfter };
      return removal === "removed" ? "adopted" : "kept";
    }
    default:
      return "kept";
  }
}
