import type { Key } from "../../src/storage/key.ts";
import { Layout } from "../../src/storage/layout.ts";
import type { Bucket } from "../../src/storage/ports.ts";
import { R2ObjectBodyDouble, R2ObjectDouble, type StoredObject } from "../doubles/r2-object.ts";
import type { Ports } from "./execution.ts";

export type Kind = Key["kind"];

/** A put of a link or register, whose values are text, or of something else. */
export interface Put {
  readonly kind: Kind | undefined;
  readonly key: string;
  readonly value: Parameters<Bucket["put"]>[1];
  readonly options: R2PutOptions;
}

/** What happens instead of an actor's operations on the bucket. `next` is the operation as it should be. */
export interface Tampering {
  readonly put?: (put: Put, next: (put: Put) => Promise<R2Object | null>) => Promise<R2Object | null>;
  /** Of a get or head: what is answered, from what would be. Called first without it: `undefined` asks for it. */
  readonly read?: (
    at: { readonly kind: Kind | undefined; readonly key: string },
    next: () => Promise<StoredObject | null>,
  ) => Promise<StoredObject | null>;
  readonly delete?: (keys: readonly string[], next: () => Promise<void>) => Promise<void>;
}

const layout = new Layout();

export function kindOf(key: string): Kind | undefined {
  return layout.parse(key)?.kind;
}

/** The ports of one actor, with an operation of the bucket left out or changed; `make` is called for each actor. */
export function tamper(make: (bucket: Bucket) => Tampering): (ports: Ports) => Ports {
  return (ports) => {
    const { bucket } = ports;
    const instead = make(bucket);
    const put = (key: string, value: Put["value"], options: R2PutOptions = {}) => {
      const next = (changed: Put) => bucket.put(changed.key, changed.value, changed.options);
      const asked = { kind: kindOf(key), key, value, options };
      return instead.put === undefined ? next(asked) : instead.put(asked, next);
    };
    const read = async (key: string) => {
      const next = async () => storedOf(await bucket.get(key));
      return instead.read === undefined ? next() : instead.read({ kind: kindOf(key), key }, next);
    };
    const tampered = {
      put,
      head: async (key: string) => {
        const stored = await read(key);
        return stored && new R2ObjectDouble(stored, { offset: 0, length: stored.bytes.byteLength });
      },
      get: async (key: string) => {
        const stored = await read(key);
        return stored && new R2ObjectBodyDouble(stored, { offset: 0, length: stored.bytes.byteLength });
      },
      delete: (keys: string | string[]) => {
        const next = () => bucket.delete(keys);
        return instead.delete === undefined ? next() : instead.delete([keys].flat(), next);
      },
      list: bucket.list.bind(bucket),
      createMultipartUpload: bucket.createMultipartUpload.bind(bucket),
    };
    return { ...ports, bucket: tampered as Bucket };
  };
}

/** An object as somebody would have stored it who knew what a put of text answered. */
export function storedBy({ key, value, options }: Put, answer: R2Object): StoredObject {
  if (typeof value !== "string") throw new Error(`${key} is no text`);
  const { version, etag, uploaded } = answer;
  return {
    key,
    version,
    etag,
    uploaded: uploaded.getTime(),
    bytes: new Uint8Array(new TextEncoder().encode(value)),
    checksums: {},
    httpMetadata: {},
    customMetadata: options.customMetadata ?? {},
  };
}

async function storedOf(object: R2ObjectBody | null): Promise<StoredObject | null> {
  if (object === null) return null;
  const { key, version, etag, uploaded, httpMetadata, customMetadata } = object;
  return {
    key,
    version,
    etag,
    uploaded: uploaded.getTime(),
    bytes: new Uint8Array(await object.arrayBuffer()),
    checksums: {},
    httpMetadata: httpMetadata ?? {},
    customMetadata: customMetadata ?? {},
  };
}
