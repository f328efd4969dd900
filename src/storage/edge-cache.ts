import type { ResponseCache } from "./ports.ts";

export interface EdgeCacheOptions {
  /** Seconds that a copy is served: 1 and more. */
  readonly ttl: number;
  /** Bytes of the largest blob that is copied; 0 for none. */
  readonly blobMax: number;
}

/** A copy; its body is to be read or cancelled. */
export interface OpenCopy {
  readonly headers: Headers;
  /** Bytes. */
  readonly size: number;
  readonly body: ReadableStream;
}

export interface ReadCopy {
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What an isolate knows of its data centre's cache. */
interface Knowledge {
  /** URLs of copies that are being made. */
  readonly filling: Set<string>;
  /** Whether the first copy was there once it was made. Where the Cache API does nothing, no more are made. */
  keeps?: boolean;
}

/**
 * Copies of what links lead to, in the cache of the data centre that answers. A cache that does nothing, or
 * fails, is one that is always empty: no answer depends on it.
 *
 * A copy is named by its link's key, so by repository and digest. Its URL lies below `/v2/`, where nothing is
 * served before the Worker has asked for authorization, and on the host name of the Worker, as the platform
 * wants it.
 */
export class EdgeCache {
  readonly blobMax: number;
  readonly #cache: ResponseCache;
  readonly #options: EdgeCacheOptions;
  readonly #knowledge: Knowledge;

  constructor(
    cache: ResponseCache,
    options: EdgeCacheOptions,
    knowledge: Knowledge = { filling: new Set() },
  ) {
    this.#cache = cache;
    this.#options = options;
    this.#knowledge = knowledge;
    this.blobMax = options.blobMax;
  }

  /** The same copies by way of another binding. */
  through(wrap: (cache: ResponseCache) => ResponseCache): EdgeCache {
    return new EdgeCache(wrap(this.#cache), this.#options, this.#knowledge);
  }

  /** The copy of what the link leads to, with a body of known length. */
  async open(origin: string, link: string): Promise<OpenCopy | undefined> {
    try {
      const copy = await this.#cache.match(urlOf(origin, link));
      const length = copy?.headers.get("Content-Length");
      if (copy?.body && length) return { headers: copy.headers, size: Number(length), body: copy.body };
      await copy?.body?.cancel();
    } catch (error) {
      report("match", error);
    }
    return undefined;
  }

  /** The copy of what the link leads to, read to its end. */
  async read(origin: string, link: string): Promise<ReadCopy | undefined> {
    try {
      const copy = await this.#cache.match(urlOf(origin, link));
      return copy && { headers: copy.headers, bytes: new Uint8Array(await copy.arrayBuffer()) };
    } catch (error) {
      report("match", error);
      return undefined;
    }
  }

  /**
   * Makes a copy. A delete may come in between, so the link is looked at once the copy is there: of the two, the
   * delete's drop or this look, the later one removes it. One copy at a time is made in an isolate.
   * @param content the bytes, with headers that tell what they are; undefined when they are gone.
   * @param isLive whether the link still leads to them.
   */
  async fill(
    origin: string,
    link: string,
    content: () => Promise<Response | undefined>,
    isLive: () => Promise<boolean>,
  ): Promise<void> {
    const url = urlOf(origin, link);
    const { filling, keeps } = this.#knowledge;
    if (filling.has(url) || keeps === false) return;
    filling.add(url);
    try {
      const response = await content();
      if (response === undefined) return;
      response.headers.set("Cache-Control", `max-age=${this.#options.ttl}`);
      await this.#cache.put(url, response);
      this.#knowledge.keeps ??= await this.#has(url);
      const live = await isLive().catch(() => false);
      if (!live) await this.drop(origin, link);
    } catch (error) {
      report("put", error);
    } finally {
      filling.delete(url);
    }
  }

  async #has(url: string): Promise<boolean> {
    const copy = await this.#cache.match(url);
    await copy?.body?.cancel();
    return copy !== undefined;
  }

  /** Removes the copy, in this data centre only. */
  async drop(origin: string, link: string): Promise<void> {
    try {
      await this.#cache.delete(urlOf(origin, link));
    } catch (error) {
      report("delete", error);
    }
  }
}

function urlOf(origin: string, link: string): string {
  return `${origin}/v2/_skerry/cache/${link}`;
}

function report(operation: string, error: unknown): void {
  console.warn(`edge cache ${operation} failed: ${error instanceof Error ? error.message : String(error)}`);
}
