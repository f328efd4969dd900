/** What an isolate remembers: a map that lets go of what was set longest ago when it is full. */
export class Remembered<Key, Value> {
  readonly #values = new Map<Key, Value>();
  readonly #limit: number;

  /** @param limit entries at most, 1 and more. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  set(key: Key, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(key: Key): void {
    this.#values.delete(key);
  }
}
