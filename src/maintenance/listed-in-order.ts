import type { Store } from "../storage/store.ts";
import { pages } from "./pages.ts";

/** The objects of a listing, for one who asks for keys in their order: each page is listed once, and one is held. */
export class ListedInOrder {
  readonly #pages: AsyncGenerator<readonly R2Object[]>;
  #page: readonly R2Object[] = [];
  #index = 0;
  #isAtEnd = false;

  /** @param startAfter the key after which the questions begin. */
  constructor(store: Store, prefix: string, startAfter?: string) {
    this.#pages = pages(store, prefix, { metadata: true, startAfter });
  }

  /** The object at a key that comes after all that were asked for before. */
  async find(key: string): Promise<R2Object | undefined> {
    for (;;) {
      const object = this.#page[this.#index];
      if (object === undefined) {
        if (this.#isAtEnd) return undefined;
        const { done, value } = await this.#pages.next();
        this.#isAtEnd = done ?? false;
        this.#page = value ?? [];
        this.#index = 0;
      } else if (object.key < key) this.#index++;
      else return object.key === key ? object : undefined;
    }
  }
}
