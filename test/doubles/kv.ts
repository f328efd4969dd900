import type { KeyValue } from "../../src/storage/ports.ts";
import type { Effect, Gate } from "./gate.ts";
import { type Entry, type KvOptions, KvStore } from "./kv-store.ts";
import type { Kind, Operation } from "./operation.ts";
import { type Bytes, bytesOf, type Value } from "./r2-value.ts";

/** A KV namespace in memory. Its operations pass the gate; `actor()` gives it as one reader sees it. */
export class KvDouble {
  readonly store: KvStore;
  readonly #gate: Gate;

  constructor(gate: Gate, options: KvOptions) {
    this.#gate = gate;
    this.store = new KvStore(options);
  }

  /**
   * The namespace with every operation attributed to `name`. The name is also the place that it reads from:
   * each reader has its own stale picture; `reader` makes several actors share one.
   */
  actor(name: string, reader = name): KeyValue & Pick<KVNamespace, "get" | "list"> {
    // The binding's types promise a type for each `type` option; the view finds out at run time.
    return new KvView(this.store, this.#gate, name, reader) as unknown as KVNamespace;
  }
}

type ReadType = "text" | "json" | "arrayBuffer" | "stream";

interface ReadOptions {
  readonly type?: ReadType;
  readonly cacheTtl?: number;
}

const limits = { keyBytes: 512, metadataBytes: 1024, valueBytes: 25 * 1024 * 1024, ttlSeconds: 60 };
const encoder = new TextEncoder();

/** The single-key part of the KV binding and its list, over a double, as seen by one actor. */
class KvView {
  readonly #store: KvStore;
  readonly #gate: Gate;
  readonly #actor: string;
  readonly #reader: string;

  constructor(store: KvStore, gate: Gate, actor: string, reader: string) {
    this.#store = store;
    this.#gate = gate;
    this.#actor = actor;
    this.#reader = reader;
  }

  async get(key: string, options?: ReadType | ReadOptions): Promise<unknown> {
    return (await this.getWithMetadata(key, options)).value;
  }

  async getWithMetadata(key: string, options: ReadType | ReadOptions = {}) {
    const { type = "text", cacheTtl = 60 } = typeof options === "string" ? { type: options } : options;
    checkKey("GET", key);
    if (cacheTtl < 30) {
      throw new Error(`KV GET failed: 400 Invalid cache_ttl of ${cacheTtl}. Cache TTL must be at least 30.`);
    }
    const entry = await this.#pass("get", key, () => this.#store.read(this.#reader, key));
    if (entry === undefined) return { value: null, metadata: null, cacheStatus: null };
    const metadata: unknown = entry.metadata === undefined ? null : JSON.parse(entry.metadata);
    return { value: decoded(entry.bytes, type), metadata, cacheStatus: null };
  }

  async put(key: string, value: Exclude<Value, null | Blob>, options: KVNamespacePutOptions = {}) {
    checkKey("PUT", key);
    const given = options.metadata === undefined || options.metadata === null ? undefined : options.metadata;
    const metadata = given === undefined ? undefined : JSON.stringify(given);
    checkMetadata(metadata);
    const lifetime = lifetimeOf(options);
    const write = (bytes: Bytes) => () => {
      if (bytes.byteLength > limits.valueBytes) {
        throw new Error(
          `KV PUT failed: 413 Value length of ${bytes.byteLength} exceeds limit of ${limits.valueBytes}.`,
        );
      }
      this.#store.write(this.#reader, key, { bytes, metadata, expiration: lifetime(this.#store.seconds()) });
    };
    const bytes = bytesOf(value);
    await this.#pass("put", key, bytes instanceof Promise ? bytes.then(write) : write(bytes));
  }

  async delete(key: string): Promise<void> {
    checkKey("DELETE", key);
    await this.#pass("delete", key, () => this.#store.write(this.#reader, key, undefined));
  }

  async list(options: KVNamespaceListOptions = {}) {
    const { limit = 1000, prefix, cursor } = options;
    return this.#pass("list", prefix ?? "", () => {
      const after = cursor === undefined || cursor === null ? "" : atob(cursor);
      const names = this.#store.keys(prefix ?? "").filter((name) => name > after);
      const keys = names.slice(0, limit).map((name) => listedKey(name, this.#store.current(name)));
      const last = keys.at(-1)?.name;
      return names.length > limit && last !== undefined
        ? { keys, list_complete: false, cursor: btoa(last), cacheStatus: null }
        : { keys, list_complete: true, cacheStatus: null };
    });
  }

  #pass<T>(kind: Kind, key: string, effect: Effect<T> | Promise<Effect<T>>): Promise<T> {
    const operation: Operation = { store: "KV", kind, keys: [key], actor: this.#actor, conditional: false };
    return this.#gate.pass(operation, effect);
  }
}

function listedKey(name: string, entry: Entry | undefined) {
  return {
    name,
    ...(entry?.expiration === undefined ? {} : { expiration: entry.expiration }),
    ...(entry?.metadata === undefined ? {} : { metadata: JSON.parse(entry.metadata) as unknown }),
  };
}

function decoded(bytes: Bytes, type: ReadType): unknown {
  if (type === "arrayBuffer") return bytes.slice().buffer;
  if (type === "stream") return new Response(bytes.slice()).body;
  const text = new TextDecoder().decode(bytes);
  return type === "json" ? (JSON.parse(text) as unknown) : text;
}

function checkKey(verb: "GET" | "PUT" | "DELETE", key: string): void {
  if (key === "") throw new TypeError("Key name cannot be empty.");
  if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
  const size = encoder.encode(key).byteLength;
  if (size > limits.keyBytes) {
    throw new Error(
      `KV ${verb} failed: 414 UTF-8 encoded length of ${size} exceeds key length limit of ${limits.keyBytes}.`,
    );
  }
}

function checkMetadata(metadata: string | undefined): void {
  const size = metadata === undefined ? 0 : encoder.encode(metadata).byteLength;
  if (size > limits.metadataBytes) {
    throw new Error(
      `KV PUT failed: 413 Metadata length of ${size} exceeds limit of ${limits.metadataBytes}.`,
    );
  }
}

/** When a value written at `now` (Unix seconds) expires, if ever. */
function lifetimeOf(options: KVNamespacePutOptions): (now: number) => number | undefined {
  const { expiration, expirationTtl } = options;
  if (expirationTtl === undefined) return () => expiration;
  if (expirationTtl < limits.ttlSeconds) {
    throw new Error(
      `KV PUT failed: 400 Invalid expiration_ttl of ${expirationTtl}. ` +
        (expirationTtl > 0
          ? "Expiration TTL must be at least 60."
          : "Please specify integer greater than 0."),
    );
  }
  return (now) => now + expirationTtl;
}
