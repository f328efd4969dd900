import { createOnce, whenWritable } from "./register.ts";
import type { Store } from "./store.ts";
import { UploadSigner } from "./upload-state.ts";

const keyLength = 32;

/** The key that signs upload sessions: a configured secret, else a random one that the bucket keeps. */
export class UploadKey {
  readonly #secret: string | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #signer: UploadSigner | undefined;

  constructor(secret: string | undefined) {
    this.#secret = secret;
  }

  /** The signer; without a configured secret the first call of an isolate reads the bucket. */
  async signer(store: Store): Promise<UploadSigner> {
    // Only the result is shared between requests: a promise would die with the request that began it.
    this.#signer ??= await UploadSigner.create(await this.bytes(store));
    return this.#signer;
  }

  /** The key itself, from which other keys may be derived; reads as `signer` does. */
  async bytes(store: Store): Promise<Uint8Array<ArrayBuffer>> {
    this.#bytes ??=
      this.#secret === undefined
        ? await sharedKey(store)
        : new Uint8Array(new TextEncoder().encode(this.#secret));
    return this.#bytes;
  }
}

async function sharedKey(store: Store): Promise<Uint8Array<ArrayBuffer>> {
  const key = store.layout.uploadKey();
  const found = await store.bucket.get(key);
  if (found !== null) return new Uint8Array(await found.arrayBuffer());
  const made: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(keyLength));
  // Isolates that start at once all try; one is first.
  if (await whenWritable(store, () => createOnce(store, key, made))) return made;
  return sharedKey(store);
}
