import type { Digest } from "../oci/digest.ts";
import { manifestOf } from "../oci/manifest.ts";
import type { Tag } from "../oci/name.ts";
import { asOptional, type ReferenceRules } from "../oci/reference.ts";
import { referrerOf } from "../oci/referrer.ts";
import { putManifest } from "../storage/manifest-put.ts";
import { readManifest, statManifest } from "../storage/manifests.ts";
import { Remembered } from "../storage/remembered.ts";
import type { Store } from "../storage/store.ts";
import { readTagHead, type TagHead } from "../storage/tag-register.ts";
import type { UpstreamClient } from "./client.ts";
import { type FetchedManifest, fetchManifest, headDigest } from "./fetch-manifest.ts";
import { UpstreamError } from "./upstream-error.ts";
import type { UpstreamRepository } from "./upstreams.ts";

/** Tags whose freshness an isolate remembers. */
const maxTags = 10_000;
/** Milliseconds for which a tag with a copy is served from it after the upstream failed. */
const pauseWithCopy = 10_000;
/** The same for a tag without one: requests that waited for the one that failed need not each try. */
const pauseWithoutCopy = 1000;
/** Milliseconds between looks at whether another request has heard from the upstream. */
const lookEvery = 25;

/** What an isolate knows of a tag. Times are Unix time in milliseconds. */
interface Memory {
  /** Until then the tag is what the register says. */
  freshUntil: number;
  /** When the upstream was last asked with success: whoever was here by then is answered too. */
  askedAt: number;
  /** Until then the upstream is not asked again, since it failed so. */
  failedUntil: number;
  failure: UpstreamError | undefined;
  /** Until then a request is asking, at most: one that was cut off says nothing of its end. */
  busyUntil: number;
}

/**
 * Manifests of upstreams, kept as if they had been pushed, without what they refer to: by digest for good, by tag
 * for as long as the upstream says the same.
 *
 * How fresh a tag is, an isolate remembers; one that does not know takes the time at which the tag was last set.
 * So a tag that stays as it is costs no write, and each isolate asks once within `fresh`.
 */
export class UpstreamManifests {
  readonly #client: UpstreamClient;
  readonly #rules: ReferenceRules;
  readonly #memories = new Remembered<string, Memory>(maxTags);

  constructor(client: UpstreamClient, rules: ReferenceRules) {
    this.#client = client;
    this.#rules = rules;
  }

  /**
   * Makes the tag here what it is at the upstream, if that was not done within its `fresh`.
   * @param isLost whether what the tag names was not to be had: then nothing remembered counts.
   * @returns why the tag may be out of date, or undefined if it is not.
   * @throws UpstreamError if the upstream has no such tag or does not let us have it, and if it cannot be asked
   *   and there is no copy.
   */
  async freshen(
    store: Store,
    repository: UpstreamRepository,
    tag: Tag,
    isLost = false,
  ): Promise<UpstreamError | undefined> {
    const { clock } = store;
    const memory = this.#memory(`${repository.name}:${tag}`);
    const came = clock.now();
    if (isLost) memory.freshUntil = 0;
    while (clock.now() >= memory.freshUntil && memory.askedAt <= came) {
      if (clock.now() < memory.failedUntil && memory.failure !== undefined) return memory.failure;
      if (clock.now() >= memory.busyUntil) return this.#ask(store, repository, tag, memory, isLost);
      await clock.sleep(lookEvery);
    }
    return undefined;
  }

  /** Gets a manifest that is not here. @throws UpstreamError */
  async fetch(store: Store, repository: UpstreamRepository, digest: Digest): Promise<void> {
    await this.#keep(
      store,
      repository,
      await fetchManifest(this.#client, repository, digest, this.#rules),
      undefined,
    );
  }

  /** The one request of the isolate that asks the upstream for the tag. */
  async #ask(
    store: Store,
    repository: UpstreamRepository,
    tag: Tag,
    memory: Memory,
    isLost: boolean,
  ): Promise<UpstreamError | undefined> {
    const { clock } = store;
    // A revalidation is two requests at most, and a store that takes a while.
    memory.busyUntil = clock.now() + 2 * repository.upstream.timeout + 30_000;
    const asked = clock.now();
    let copy: TagHead | undefined;
    try {
      copy = await readTagHead(store, repository.name, tag);
      memory.freshUntil = await this.#revalidate(store, repository, tag, copy, isLost);
      memory.askedAt = asked;
      memory.failure = undefined;
      return undefined;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const isHeld = copy?.target !== undefined;
      memory.failure = error;
      memory.failedUntil = clock.now() + (isHeld && error.leavesCopy ? pauseWithCopy : pauseWithoutCopy);
      return error;
    } finally {
      memory.busyUntil = 0;
    }
  }

  /** @returns until when the tag is fresh now. */
  async #revalidate(
    store: Store,
    repository: UpstreamRepository,
    tag: Tag,
    { target, at }: TagHead,
    isLost: boolean,
  ): Promise<number> {
    const { name, upstream } = repository;
    const { clock } = store;
    const lifetime = upstream.fresh * 1000;
    if (target !== undefined && !isLost && clock.now() < at + lifetime) return at + lifetime;
    const asked = clock.now();
    const digest = target && (await headDigest(this.#client, repository, tag));
    const isSame = digest !== undefined && digest === target?.digest;
    if (!isSame || (await statManifest(store, name, digest)) === undefined) {
      const held = digest && (await this.#held(store, repository, digest));
      await this.#keep(
        store,
        repository,
        held ?? (await fetchManifest(this.#client, repository, tag, this.#rules)),
        tag,
      );
    }
    return asked + lifetime;
  }

  /** A manifest that the repository has already under this digest. */
  async #held(
    store: Store,
    { name }: UpstreamRepository,
    digest: Digest,
  ): Promise<FetchedManifest | undefined> {
    const stored = await readManifest(store, name, digest);
    const manifest = stored && manifestOf(stored.bytes);
    return stored && manifest && { digest, bytes: stored.bytes, manifest };
  }

  async #keep(
    store: Store,
    { name }: UpstreamRepository,
    { digest, bytes, manifest }: FetchedManifest,
    tag: Tag | undefined,
  ): Promise<void> {
    await putManifest(store, {
      name,
      digest,
      bytes,
      mediaType: manifest.mediaType,
      references: manifest.references.map(asOptional),
      referrer: referrerOf(manifest, digest, bytes.byteLength),
      mayBeMarked: true,
      // What the upstream says is no push: an immutable tag of ours is not one of theirs.
      tags: tag === undefined ? [] : [{ tag, condition: undefined, immutable: false }],
    });
  }

  #memory(key: string): Memory {
    const known = this.#memories.get(key);
    if (known !== undefined) return known;
    const memory: Memory = { freshUntil: 0, askedAt: 0, failedUntil: 0, failure: undefined, busyUntil: 0 };
    this.#memories.set(key, memory);
    return memory;
  }
}
