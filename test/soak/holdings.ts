import type { Image } from "./client.ts";
import type { Passes } from "./passes.ts";
import { isBuild, type Terms } from "./rules.ts";

/** When a request was under way; Unix times in milliseconds. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

/** A tag that was set and that no request removed. Times are Unix times in milliseconds. */
interface HeldTag {
  readonly image: Image;
  /** Since when it may be gone; undefined: it is there. */
  looseSince: number | undefined;
  /** Since when the rule drops it: a pass that begins later removes it. */
  droppedSince: number | undefined;
}

/** An image that was acknowledged and that no request deleted. Times are Unix times in milliseconds. */
interface HeldImage {
  readonly image: Image;
  /** Until when it is there; infinite while a tag that is there names it. */
  sureUntil: number;
  /** Since when nothing needs it. */
  unneededSince: number | undefined;
}

/** A tag that is gone, and since when it is at the earliest. */
interface LostTag {
  readonly image: Image;
  readonly since: number;
}

/**
 * What a lane knows of its tags and images in a repository, of which nobody but itself and retention takes any: what
 * must be there, what may be there, and what must be gone.
 */
export class Holdings {
  readonly repository: string;
  readonly #terms: Terms | undefined;
  /** By name, in the order in which they were set. */
  readonly tags = new Map<string, HeldTag>();
  /** By digest. */
  readonly images = new Map<string, HeldImage>();
  /** By name: these are not there. */
  readonly lost = new Map<string, LostTag>();
  /** Images that are gone. */
  readonly gone = new Set<Image>();
  /** By digest of an image the tags that ever named it. */
  readonly everTagged = new Map<string, Set<string>>();

  /** @param terms undefined where everything stays. */
  constructor(repository: string, terms: Terms | undefined) {
    this.repository = repository;
    this.#terms = terms;
  }

  /** An image was acknowledged, with a tag if one is given: whatever it had to wait for begins anew. */
  put(image: Image, tag: string | undefined, span: Span): void {
    const isLasting = this.#terms === undefined || this.#isLasting(image.subject);
    const sureUntil = isLasting ? Number.POSITIVE_INFINITY : span.began + this.#terms.untagged;
    this.images.set(image.digest, { image, sureUntil, unneededSince: undefined });
    this.gone.delete(image);
    if (tag !== undefined) {
      const held = this.tags.get(tag);
      // What a tag names already does not make it newer.
      if (held?.image !== image || held.looseSince !== undefined) {
        this.tags.delete(tag);
        this.tags.set(tag, { image, looseSince: undefined, droppedSince: undefined });
      }
      this.lost.delete(tag);
      this.everTagged.set(image.digest, (this.everTagged.get(image.digest) ?? new Set()).add(tag));
    }
    this.#settle(span);
  }

  untag(tag: string, span: Span): void {
    this.#lose(tag, span.began);
    this.#settle(span);
  }

  /** An image is gone, and its tags with it: a request or retention took it. */
  remove(image: Image, span: Span): void {
    this.images.delete(image.digest);
    this.gone.add(image);
    for (const [tag, held] of this.tags) if (held.image === image) this.#lose(tag, span.began);
    this.#settle(span);
  }

  /** Whether what a reference names is there, at a time. @param now Unix time in milliseconds. */
  isSure(reference: string, now: number): boolean {
    const tag = this.tags.get(reference);
    if (tag !== undefined) return tag.looseSince === undefined;
    return now < (this.images.get(reference)?.sureUntil ?? 0);
  }

  /** Whether retention has had the passes that it takes to remove what a reference names. */
  isOverdue(reference: string, passes: Passes): boolean {
    const tag = this.tags.get(reference);
    if (tag !== undefined)
      return tag.droppedSince !== undefined && passes.endAfter(tag.droppedSince) !== undefined;
    const since = this.images.get(reference)?.unneededSince;
    const marked = since === undefined ? undefined : passes.endAfter(since);
    if (marked === undefined || this.#terms === undefined) return false;
    return passes.endAfter(marked + this.#terms.untagged) !== undefined;
  }

  /** Images that nothing keeps, and that are there all the same at a time. @param now Unix time in milliseconds. */
  waiting(now: number): readonly Image[] {
    const held = [...this.images.values()];
    return held
      .filter(({ sureUntil }) => sureUntil > now && sureUntil < Number.POSITIVE_INFINITY)
      .map(({ image }) => image);
  }

  /** The digests of the signatures of a manifest, in order. */
  signaturesOf(digest: string): readonly string[] {
    const images = [...this.images.values()].map(({ image }) => image);
    return images
      .filter(({ subject }) => subject?.digest === digest)
      .map((image) => image.digest)
      .toSorted();
  }

  /** Whether there are more builds than the rule keeps. */
  get hasTooManyBuilds(): boolean {
    return this.#terms !== undefined && [...this.tags.keys()].filter(isBuild).length > this.#terms.newest;
  }

  /** Whether an image is there until something changes. */
  #isLasting(image: Image | undefined): boolean {
    return this.images.get(image?.digest ?? "")?.sureUntil === Number.POSITIVE_INFINITY;
  }

  /** A signature stays as long as what it signs does. */
  #subjectsFirst(): readonly HeldImage[] {
    const all = [...this.images.values()];
    const isSignature = ({ image }: HeldImage) => image.subject !== undefined;
    return [...all.filter((held) => !isSignature(held)), ...all.filter(isSignature)];
  }

  #lose(tag: string, since: number): void {
    const held = this.tags.get(tag);
    if (held === undefined) return;
    this.tags.delete(tag);
    this.lost.set(tag, { image: held.image, since: held.looseSince ?? since });
  }

  /** Applies the rule to what a request has changed: from its beginning things may go, from its end on they must. */
  #settle({ began, ended }: Span): void {
    if (this.#terms === undefined) return;
    const { newest, untagged } = this.#terms;
    const builds = [...this.tags].filter(([tag, held]) => isBuild(tag) && held.looseSince === undefined);
    for (const [, held] of builds.slice(0, Math.max(builds.length - newest, 0))) held.looseSince = began;
    const named = new Set<Image>();
    const surelyNamed = new Set<Image>();
    for (const held of this.tags.values()) {
      named.add(held.image);
      if (held.looseSince === undefined) surelyNamed.add(held.image);
      else held.droppedSince = builds.length < newest ? undefined : (held.droppedSince ?? ended);
    }
    for (const held of this.#subjectsFirst()) {
      const { subject } = held.image;
      if (surelyNamed.has(held.image)) held.sureUntil = Number.POSITIVE_INFINITY;
      else if (this.#isLasting(held.image) && !this.#isLasting(subject)) held.sureUntil = began + untagged;
      const mayBeNeeded = named.has(held.image) || this.images.has(subject?.digest ?? "");
      held.unneededSince = mayBeNeeded ? undefined : (held.unneededSince ?? ended);
    }
  }
}
