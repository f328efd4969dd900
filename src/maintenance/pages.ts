import type { Store } from "../storage/store.ts";

/** Objects of a listing, page by page; memory never holds more than one page. */
export async function* pages(
  store: Store,
  prefix: string,
  options: { readonly startAfter?: string | undefined; readonly metadata?: boolean } = {},
): AsyncGenerator<readonly R2Object[]> {
  let startAfter = options.startAfter;
  for (;;) {
    const page = await store.bucket.list({
      prefix,
      ...(startAfter !== undefined && { startAfter }),
      ...(options.metadata && { include: ["customMetadata"] }),
    });
    yield page.objects;
    startAfter = page.objects.at(-1)?.key;
    if (!page.truncated) return;
  }
}

/** Objects of a listing, one after the other. */
export async function* objects(
  store: Store,
  prefix: string,
  startAfter?: string,
): AsyncGenerator<R2Object, undefined> {
  for await (const page of pages(store, prefix, { startAfter })) yield* page;
  return undefined;
}
