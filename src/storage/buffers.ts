import { clientGone, retryLater } from "../oci/error.ts";
import type { Clock } from "./ports.ts";

/** How long, in milliseconds, an upload waits for a buffer before it is told to come back. */
const patience = 20_000;

/**
 * The only memory in which bodies of unknown length are held: a fixed number of buffers for all requests of an
 * isolate. Who finds none waits without reading his body.
 */
export class BufferPool {
  /** Bytes of one buffer. */
  readonly size: number;
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #idle: ArrayBuffer[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;
  #peak = 0;

  /**
   * @param limit number of buffers, 1 and more.
   * @param size bytes of each.
   */
  constructor(limit: number, size: number, clock: Clock) {
    this.#limit = limit;
    this.size = size;
    this.#clock = clock;
  }

  /** The most buffers that were ever taken at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Buffers taken at this moment. */
  get taken(): number {
    return this.#taken;
  }

  /** Uploads that wait for a buffer at this moment. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs `work` with a buffer.
   * @throws RegistryError 503 with Retry-After when none gets free within 20 seconds.
   */
  async use<Result>(work: (lease: BufferLease) => Promise<Result>): Promise<Result> {
    await this.#take();
    const lease = new BufferLease(this.#idle.pop() ?? new ArrayBuffer(this.size));
    try {
      return await work(lease);
    } finally {
      // A read that failed keeps the buffer it was reading into; the next user gets a new one.
      if (lease.buffer.byteLength === this.size) this.#idle.push(lease.buffer);
      this.#release();
    }
  }

  async #take(): Promise<void> {
    if (this.#taken < this.#limit) {
      this.#taken++;
      this.#peak = Math.max(this.#peak, this.#taken);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(resolve);
      void this.#clock.sleep(patience).then(() => {
        if (this.#waiting.delete(resolve))
          reject(retryLater(5, "too many uploads of unknown length at once"));
      });
    });
  }

  /** Whoever waits longest gets the place; nobody else can take it meanwhile. */
  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** A buffer on loan. Reading into it hands the memory to the stream and back, hence the indirection. */
export class BufferLease {
  buffer: ArrayBuffer;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
  }

  /**
   * Fills the buffer from the reader.
   * @returns the bytes read, fewer than the buffer's size only at the end of the stream; valid until the next fill.
   * @throws RegistryError SIZE_INVALID (499) when the stream breaks off.
   */
  async fill(reader: ReadableStreamBYOBReader): Promise<Uint8Array<ArrayBuffer>> {
    const { buffer } = this;
    try {
      const { value } = await reader.readAtLeast(buffer.byteLength, new Uint8Array(buffer));
      if (value === undefined) return new Uint8Array(0);
      this.buffer = value.buffer as ArrayBuffer;
      return new Uint8Array(this.buffer, 0, value.byteLength);
    } catch (cause) {
      throw clientGone(cause);
    }
  }
}
