/** One of the items, at random; undefined if there are none. */
export function pickIfAny<Item>(items: readonly Item[]): Item | undefined {
  return items[Math.floor(Math.random() * items.length)];
}

/** @throws Error if there are none. */
export function pick<Item>(items: readonly Item[]): Item {
  const item = pickIfAny(items);
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}
