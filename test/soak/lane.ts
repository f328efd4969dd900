import { type Blob, blobOf, type Image, imageOf, manifestType, type SoakClient } from "./client.ts";

const repositories = ["soak/a", "soak/b", "soak/c", "soak/d"];
/** Layers that the images of all lanes share. */
const shared = Array.from({ length: 8 }, (_, index) => blobOf(`shared layer ${index} ${"x".repeat(2000)}`));
const tagsOfLane = 6;
/** How often a push whose blobs are collected under it begins anew, as a client does that its user starts again. */
const pushes = 40;

/**
 * One client after whose answers it is known what the registry must hold: it alone writes its images and tags, while
 * it shares layers and repositories with the other lanes and everything with the collector.
 */
export class Lane {
  readonly #client: SoakClient;
  readonly #name: string;
  #serial = 0;
  /** Images that were acknowledged and not deleted. */
  readonly images = new Map<string, Image>();
  /** Tags by repository and name, and the digests that they name. */
  readonly tags = new Map<string, Image>();
  /** Images that were deleted, to be pushed again. */
  readonly deleted: Image[] = [];
  /** For each image the tags that ever named it. */
  readonly everTagged = new Map<string, Set<string>>();
  /** What was done, by kind. */
  readonly done = new Map<string, number>();
  /** What the registry answered and must not have. */
  readonly complaints: string[] = [];

  constructor(client: SoakClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** Does one thing after the other until the time, Unix time in milliseconds, has come. */
  async runUntil(time: number): Promise<void> {
    const acts = [
      () => this.#pushNew(),
      () => this.#pushNew(),
      () => this.#pushAgain(),
      () => this.#retag(),
      () => this.#delete(),
      () => this.#untag(),
      () => this.#pull(),
    ];
    while (Date.now() < time) await pick(acts)();
  }

  /** Everything that is wrong with an image. */
  async verify(image: Image, reference: string): Promise<readonly string[]> {
    const path = `/v2/${image.repository}`;
    const what = `${image.repository} ${reference}`;
    const manifest = await this.#client.bytes(`${path}/manifests/${reference}`);
    if (manifest === undefined) return [`${what}: no manifest`];
    if (!manifest.equals(image.bytes)) return [`${what}: another manifest`];
    const complaints: string[] = [];
    for (const { digest, bytes } of image.blobs) {
      const found = await this.#client.bytes(`${path}/blobs/${digest}`);
      if (found === undefined || !found.equals(bytes))
        complaints.push(`${what}: blob ${digest} is not there`);
    }
    return complaints;
  }

  #count(act: string): void {
    this.done.set(act, (this.done.get(act) ?? 0) + 1);
  }

  async #pushNew(): Promise<void> {
    const id = `${this.#name} ${this.#serial++}`;
    const own = blobOf(`layer of ${id}`);
    const blobs = [blobOf(`config of ${id}`), own, pick(shared), pick(shared)];
    await this.#push(imageOf(pick(repositories), [...new Set(blobs)]), "push");
  }

  async #pushAgain(): Promise<void> {
    const image = this.deleted.splice(Math.floor(Math.random() * this.deleted.length), 1)[0];
    if (image !== undefined) await this.#push(image, "push of a deleted image");
  }

  async #push(image: Image, act: string): Promise<void> {
    const tag = Math.random() < 0.8 ? this.#tag() : undefined;
    for (let attempt = 0; attempt < pushes; attempt++) {
      for (const blob of image.blobs) await this.#upload(image.repository, blob);
      const status = await this.#put(image, tag);
      if (status === 201) return this.#count(act);
      // A blob that HEAD had found, or that was uploaded a moment ago, was collected before it was referred to.
      if (status !== 400) throw new Error(`PUT of ${image.digest} was answered ${status}`);
      this.#count("put refused for a collected blob");
    }
    throw new Error(`${image.digest} could not be pushed`);
  }

  async #put(image: Image, tag: string | undefined): Promise<number> {
    const path = `/v2/${image.repository}/manifests/${tag ?? image.digest}`;
    const status = await this.#client.status("PUT", path, image.bytes, manifestType);
    if (status !== 201) return status;
    const key = keyOf(image);
    this.images.set(key, image);
    if (tag !== undefined) {
      this.tags.set(`${image.repository} ${tag}`, image);
      this.everTagged.set(key, (this.everTagged.get(key) ?? new Set()).add(tag));
    }
    return status;
  }

  async #upload(repository: string, blob: Blob): Promise<void> {
    const path = `/v2/${repository}/blobs`;
    if ((await this.#client.status("HEAD", `${path}/${blob.digest}`)) === 200)
      return this.#count("upload skipped");
    if (Math.random() < 0.5) {
      const from = pick(repositories);
      const mount = `${path}/uploads/?mount=${blob.digest}&from=${from}`;
      if ((await this.#client.status("POST", mount)) === 201) return this.#count("mount");
    }
    const whole = Math.random();
    if (whole < 0.5) {
      const status = await this.#client.status(
        "POST",
        `${path}/uploads/?digest=${blob.digest}`,
        blob.bytes,
        octets,
      );
      if (status === 201) return this.#count("upload");
      throw new Error(`POST of ${blob.digest} was answered ${status}`);
    }
    const started = await this.#client.send("POST", `${path}/uploads/`);
    await started.arrayBuffer();
    const location = started.headers.get("Location") ?? "";
    if (whole < 0.75) return this.#close(location, blob, blob.bytes);
    const patched = await this.#client.send("PATCH", location, blob.bytes, octets);
    await patched.arrayBuffer();
    await this.#close(patched.headers.get("Location") ?? "", blob);
  }

  async #close(location: string, { digest }: Blob, bytes?: Buffer<ArrayBuffer>): Promise<void> {
    const status = await this.#client.status("PUT", `${location}&digest=${digest}`, bytes, bytes && octets);
    if (status === 201) return this.#count("upload");
    // What a PATCH had stored was collected before it was committed: the push begins anew.
    if (bytes !== undefined) throw new Error(`the upload of ${digest} was closed with ${status}`);
    this.#count(`commit of collected bytes: ${status}`);
  }

  async #retag(): Promise<void> {
    const image = pick([...this.images.values()]);
    if (image === undefined) return;
    const status = await this.#put(image, this.#tag());
    if (status === 201) return this.#count("retag");
    this.complaints.push(`${keyOf(image)}: acknowledged, and put again with ${status}`);
  }

  async #delete(): Promise<void> {
    const image = pick([...this.images.values()]);
    if (image === undefined) return;
    const key = keyOf(image);
    const status = await this.#client.status("DELETE", `/v2/${image.repository}/manifests/${image.digest}`);
    if (status !== 202 && status !== 404) throw new Error(`DELETE of ${key} was answered ${status}`);
    this.images.delete(key);
    for (const [tag, named] of this.tags) if (named === image) this.tags.delete(tag);
    this.deleted.push(image);
    this.#count("delete");
  }

  async #untag(): Promise<void> {
    const tag = pick([...this.tags.keys()]);
    const [repository, name] = tag?.split(" ") ?? [];
    if (tag === undefined) return;
    const status = await this.#client.status("DELETE", `/v2/${repository}/manifests/${name}`);
    if (status !== 202 && status !== 404) throw new Error(`DELETE of ${tag} was answered ${status}`);
    this.tags.delete(tag);
    this.#count("untag");
  }

  async #pull(): Promise<void> {
    const image = pick([...this.images.values()]);
    if (image === undefined) return;
    this.complaints.push(...(await this.verify(image, image.digest)));
    this.#count("pull");
  }

  #tag(): string {
    return `${this.#name}-${Math.floor(Math.random() * tagsOfLane)}`;
  }
}

const octets = "application/octet-stream";

export function keyOf({ repository, digest }: Image): string {
  return `${repository}@${digest}`;
}

function pick<Item>(items: readonly [Item, ...Item[]]): Item;
function pick<Item>(items: readonly Item[]): Item;
function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}
