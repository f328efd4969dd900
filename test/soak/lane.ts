import { blobOf, type Image, imageOf, manifestType, type SoakClient } from "./client.ts";
import { Holdings, type Span } from "./holdings.ts";
import type { Passes } from "./passes.ts";
import { pick, pickIfAny } from "./pick.ts";
import { repositories, tagFor, tagsOfEachKind, termsOf, tombstoneAge } from "./rules.ts";
import { upload } from "./upload.ts";

/** Layers that the images of all lanes share. */
const shared = Array.from({ length: 8 }, (_, index) => blobOf(`shared layer ${index} ${"x".repeat(2000)}`));
/** How often a push whose blobs are collected under it begins anew, as a client does that its user starts again. */
const pushes = 40;

/** Of the tags that are gone so many are tried to restore: most others went too long ago. */
const restorable = 4;

/**
 * One client after whose answers it is known what the registry must hold: it alone writes its images and tags, while
 * it shares layers and repositories with the other lanes and everything with the collector.
 */
export class Lane {
  readonly name: string;
  readonly #client: SoakClient;
  readonly #passes: Passes;
  #serial = 0;
  /** What it has of each repository. */
  readonly holdings: readonly Holdings[];
  /** What was done, by kind. */
  readonly done = new Map<string, number>();
  /** What the registry answered and must not have. */
  readonly complaints: string[] = [];

  /** @param grace of garbage collection, in milliseconds. */
  constructor(client: SoakClient, passes: Passes, name: string, grace: number) {
    this.#client = client;
    this.#passes = passes;
    this.name = name;
    this.holdings = repositories.map((repository) => new Holdings(repository, termsOf(repository, grace)));
  }

  /** Does one thing after the other until the time, Unix time in milliseconds, has come. */
  async runUntil(time: number): Promise<void> {
    const tag = () => (Math.random() < 0.8 ? this.#tag() : undefined);
    const acts = [
      (of: Holdings) => this.#pushNew(of, tag()),
      (of: Holdings) => this.#pushNew(of, tag()),
      (of: Holdings) => this.#pushAgain(of),
      (of: Holdings) => this.#sign(of),
      (of: Holdings) => this.#retag(of),
      (of: Holdings) => this.#delete(of),
      (of: Holdings) => this.#untag(of),
      (of: Holdings) => this.#restore(of),
      (of: Holdings) => this.#pullSome(of),
      (of: Holdings) => this.#pullSome(of),
    ];
    while (Date.now() < time) await pick(acts)(pick(this.holdings));
  }

  /** Pushes for each way in which a rule judges, so that what the rules take and leave is seen at the end. */
  async pushOfEachKind(): Promise<void> {
    for (const of of this.holdings)
      for (const tag of tagsOfEachKind(this.name, this.#serial++)) await this.#pushNew(of, tag);
  }

  /** Pulls what is to go, but must not have gone yet. */
  async pullWaiting(): Promise<void> {
    for (const of of this.holdings)
      for (const image of of.waiting(Date.now())) await this.#pull(of, image, image.digest);
  }

  /** Pulls everything by each of its names, and so finds out what retention took. */
  async resolve(): Promise<void> {
    for (const of of this.holdings) {
      for (const [tag, { image }] of [...of.tags]) await this.#pull(of, image, tag);
      for (const { image } of [...of.images.values()]) await this.#pull(of, image, image.digest);
    }
  }

  /** Pulls everything once more, and asks for what must be gone. @returns how much it pulled. */
  async verifyAll(): Promise<number> {
    await this.resolve();
    let pulled = 0;
    for (const of of this.holdings) {
      pulled += of.tags.size + of.images.size;
      for (const reference of [...[...of.gone].map(({ digest }) => digest), ...of.lost.keys()]) {
        const status = await this.#client.status("GET", `/v2/${of.repository}/manifests/${reference}`);
        if (status !== 404) this.#complain(of, `${reference}: gone, and answered ${status}`);
      }
      for (const digest of [...of.images.keys(), ...[...of.gone].map((image) => image.digest)])
        await this.#verifySignatures(of, digest);
      if (of.hasTooManyBuilds) this.#complain(of, "more builds than the rule keeps");
    }
    return pulled;
  }

  /** Everything that is wrong with an image. */
  async #verify(image: Image, reference: string): Promise<readonly string[]> {
    const path = `/v2/${image.repository}`;
    const manifest = await this.#client.bytes(`${path}/manifests/${reference}`);
    if (manifest === undefined) return [`${reference}: no manifest`];
    if (!manifest.equals(image.bytes)) return [`${reference}: another manifest`];
    const complaints: string[] = [];
    for (const { digest, bytes } of image.blobs) {
      const found = await this.#client.bytes(`${path}/blobs/${digest}`);
      if (found === undefined || !found.equals(bytes))
        complaints.push(`${reference}: blob ${digest} is not there`);
    }
    return complaints;
  }

  async #verifySignatures(of: Holdings, digest: string): Promise<void> {
    const list = await this.#client.bytes(`/v2/${of.repository}/referrers/${digest}`);
    const { manifests } = JSON.parse(String(list)) as { manifests: readonly { readonly digest: string }[] };
    const found = manifests.map((manifest) => manifest.digest).toSorted();
    const wanted = of.signaturesOf(digest);
    if (found.join() !== wanted.join())
      this.#complain(of, `${digest}: signed by ${wanted}, and ${found} listed`);
  }

  #count(act: string): void {
    this.done.set(act, (this.done.get(act) ?? 0) + 1);
  }

  #complain({ repository }: Holdings, ...what: readonly string[]): void {
    this.complaints.push(...what.map((each) => `${repository} ${each}`));
  }

  async #pushNew(of: Holdings, tag: string | undefined): Promise<void> {
    const id = `${this.name} ${this.#serial++}`;
    const own = blobOf(`layer of ${id}`);
    const blobs = [blobOf(`config of ${id}`), own, pick(shared), pick(shared)];
    await this.#push(of, imageOf(of.repository, [...new Set(blobs)]), tag, "push");
  }

  async #sign(of: Holdings): Promise<void> {
    const subject = pickIfAny([...of.images.values()])?.image;
    if (subject === undefined || subject.subject !== undefined) return;
    const id = `${this.name} ${this.#serial++}`;
    const image = imageOf(of.repository, [blobOf(`signature ${id}`)], subject);
    await this.#push(of, image, undefined, "signature");
  }

  async #pushAgain(of: Holdings): Promise<void> {
    const image = pickIfAny([...of.gone]);
    if (image !== undefined) await this.#push(of, image, this.#tag(), "push of an image that was gone");
  }

  async #push(of: Holdings, image: Image, tag: string | undefined, act: string): Promise<void> {
    for (let attempt = 0; attempt < pushes; attempt++) {
      for (const blob of image.blobs) this.#count(await upload(this.#client, image.repository, blob));
      const status = await this.#put(of, image, tag);
      if (status === 201) return this.#count(act);
      // A blob that HEAD had found, or that was uploaded a moment ago, was collected before it was referred to.
      if (status !== 400) throw new Error(`PUT of ${image.digest} was answered ${status}`);
      this.#count("put refused for a collected blob");
    }
    throw new Error(`${image.digest} could not be pushed`);
  }

  async #put(of: Holdings, image: Image, tag: string | undefined): Promise<number> {
    const path = `/v2/${image.repository}/manifests/${tag ?? image.digest}`;
    const [status, span] = await timed(this.#client.status("PUT", path, image.bytes, manifestType));
    if (status === 201) of.put(image, tag, span);
    return status;
  }

  async #retag(of: Holdings): Promise<void> {
    const image = pickIfAny([...of.images.values()])?.image;
    const tag = this.#tag();
    const held = of.tags.get(tag);
    // Whether that would make the tag newer depends on whether it is there.
    if (image === undefined || (held?.image === image && held.looseSince !== undefined)) return;
    const status = await this.#put(of, image, tag);
    if (status === 201) return this.#count("retag");
    if (of.isSure(image.digest, Date.now()))
      return this.#complain(of, `${image.digest}: there, and put again with ${status}`);
    await this.#push(of, image, tag, "retag of an image that was gone");
  }

  async #delete(of: Holdings): Promise<void> {
    const image = pickIfAny([...of.images.values()])?.image;
    if (image === undefined) return;
    const path = `/v2/${image.repository}/manifests/${image.digest}`;
    const [status, span] = await timed(this.#client.status("DELETE", path));
    if (status !== 202 && status !== 404) throw new Error(`DELETE of ${path} was answered ${status}`);
    of.remove(image, span);
    this.#count("delete");
  }

  async #untag(of: Holdings): Promise<void> {
    const tag = pickIfAny([...of.tags.keys()]);
    if (tag === undefined) return;
    const path = `/v2/${of.repository}/manifests/${tag}`;
    const [status, span] = await timed(this.#client.status("DELETE", path));
    if (status !== 202 && status !== 404) throw new Error(`DELETE of ${path} was answered ${status}`);
    of.untag(tag, span);
    this.#count("untag");
  }

  /** Brings back a tag that is gone: that goes as long as its trace and its image are there. */
  async #restore(of: Holdings): Promise<void> {
    const [tag, lost] = pickIfAny([...of.lost].slice(-restorable)) ?? [];
    if (tag === undefined || lost === undefined) return;
    const { digest } = lost.image;
    const path = `/v2/${of.repository}/_skerry/tags/${tag}/restore`;
    const body = Buffer.from(JSON.stringify({ digest }));
    const [status, span] = await timed(this.#client.status("POST", path, body, "application/json"));
    const mayBeThere = of.images.has(digest);
    const mustBeThere = of.isSure(digest, span.ended) && span.ended < lost.since + tombstoneAge;
    if (status === 200 ? !mayBeThere : status !== 404 || mustBeThere)
      return this.#complain(of, `${tag}: restore to ${digest} was answered ${status}`);
    if (status === 404) return this.#count("restore of what was gone");
    of.put(lost.image, tag, span);
    this.#count("restore");
    await this.#pull(of, lost.image, tag);
  }

  async #pullSome(of: Holdings): Promise<void> {
    const tagged = [...of.tags].map(([tag, { image }]) => [tag, image] as const);
    const known = [...of.images.values()].map(({ image }) => [image.digest, image] as const);
    const [reference, image] = pickIfAny([...tagged, ...known]) ?? [];
    if (reference !== undefined && image !== undefined) await this.#pull(of, image, reference);
  }

  /** Pulls an image, and finds out whether retention took it. */
  async #pull(of: Holdings, image: Image, reference: string): Promise<void> {
    const isOverdue = of.isOverdue(reference, this.#passes);
    const [wrong, span] = await timed(this.#verify(image, reference));
    this.#count("pull");
    if (wrong.length === 0) {
      if (isOverdue) this.#complain(of, `${reference}: retention should have removed it`);
      return;
    }
    const path = `/v2/${of.repository}/manifests/${reference}`;
    // It may go while it is pulled, but then as a whole.
    if (of.isSure(reference, span.ended) || (await this.#client.status("GET", path)) !== 404)
      return this.#complain(of, ...wrong);
    if (reference === image.digest) of.remove(image, span);
    else of.untag(reference, span);
    this.#count(reference === image.digest ? "image removed by retention" : "tag removed by retention");
  }

  #tag(): string {
    return tagFor(this.name, this.#serial++);
  }
}

async function timed<Value>(work: Promise<Value>): Promise<readonly [Value, Span]> {
  const began = Date.now();
  const value = await work;
  return [value, { began, ended: Date.now() }];
}
