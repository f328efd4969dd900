import {
  blobOf,
  expectStatus,
  imageOf,
  indexOf,
  pushBlob,
  pushImage,
  putManifest,
  type TestManifest,
} from "../support/content.ts";
import type { Asker } from "../support/registry.ts";

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Digests that a tag was set to, or was about to be; undefined for its removal. */
export type Values = Map<string, Set<string | undefined>>;

/** One client of many that push, move, remove and delete while something else goes on. */
export class Pusher {
  readonly #client: Asker;
  readonly #name: string;
  readonly #random: () => number;
  readonly #values: Values;
  #count = 0;

  constructor(client: Asker, name: string, seed: number, values: Values) {
    this.#client = client;
    this.#name = name;
    this.#random = randomOf(seed);
    this.#values = values;
  }

  /** Pushes what is there before everything begins: a tag that is only ever moved, and one that may be removed. */
  async begin(): Promise<void> {
    await this.#tag(`${this.#name}:moving`, await this.#image());
    await this.#tag(`${this.#name}:passing`, await this.#index());
  }

  /** Does one thing, to its end. */
  async act(): Promise<void> {
    const chance = this.#random();
    if (chance < 0.3) await this.#tag(`${this.#name}:moving`, await this.#image());
    else if (chance < 0.5) await this.#tag(`${this.#name}:moving`, await this.#index());
    else if (chance < 0.6) await this.#tag(`${this.#name}:passing`, await this.#image());
    else if (chance < 0.7) await this.#refer();
    else if (chance < 0.85) await this.#remove("passing");
    else await this.#delete();
  }

  async #image(): Promise<TestManifest> {
    return pushImage(this.#client, this.#name, undefined, `${this.#name} ${this.#count++}`);
  }

  async #index(): Promise<TestManifest> {
    const index = await indexOf([await this.#image(), await this.#image()]);
    await expectStatus(putManifest(this.#client, this.#name, index.digest, index), 201);
    return index;
  }

  async #tag(reference: string, manifest: TestManifest): Promise<void> {
    const tag = reference.slice(reference.indexOf(":") + 1);
    this.#note(reference, manifest.digest);
    await expectStatus(putManifest(this.#client, this.#name, tag, manifest), 201);
  }

  async #refer(): Promise<void> {
    const { digest, mediaType, bytes } = await this.#image();
    const config = await blobOf(`signature ${this.#count}`);
    await expectStatus(pushBlob(this.#client, this.#name, config), 201);
    const signature = await imageOf(config, [], {
      subject: { digest, mediaType, size: bytes.byteLength },
      annotations: { signer: "Zoë" },
    });
    await expectStatus(putManifest(this.#client, this.#name, signature.digest, signature), 201);
  }

  async #remove(tag: string): Promise<void> {
    this.#note(`${this.#name}:${tag}`, undefined);
    await this.#client.ask(`DELETE /v2/${this.#name}/manifests/${tag}`);
  }

  /** Deletes what `passing` names, with its tags. */
  async #delete(): Promise<void> {
    const head = await this.#client.ask(`HEAD /v2/${this.#name}/manifests/passing`);
    const digest = head.headers.get("Docker-Content-Digest");
    if (digest === null) return;
    this.#note(`${this.#name}:passing`, undefined);
    await expectStatus(this.#client.ask(`DELETE /v2/${this.#name}/manifests/${digest}`), 202);
  }

  #note(reference: string, digest: string | undefined): void {
    this.#values.set(reference, (this.#values.get(reference) ?? new Set()).add(digest));
  }
}
