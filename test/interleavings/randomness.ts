import { AsyncLocalStorage } from "node:async_hooks";

// Everything random that an actor draws depends on its name and on how much it drew before, so that a run can
// be repeated operation by operation. The generator follows the actor through its promises.
const current = new AsyncLocalStorage<() => number>();
let installed = false;

/** Runs `work` with `crypto.getRandomValues`, `crypto.randomUUID` and `Math.random` derived from `seed`. */
export function withRandomness<T>(seed: string, work: () => T): T {
  install();
  return current.run(generator(seed), work);
}

/** Numbers in [0, 1), the same for the same seed (mulberry32 over an FNV-1a hash of the seed). */
export function generator(seed: string): () => number {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function install(): void {
  if (installed) return;
  installed = true;
  const { random } = Math;
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  const randomUUID = crypto.randomUUID.bind(crypto);
  Math.random = () => current.getStore()?.() ?? random();
  Object.defineProperty(crypto, "getRandomValues", {
    value: (view: Uint8Array<ArrayBuffer>): ArrayBufferView => {
      const next = current.getStore();
      if (next === undefined) return getRandomValues(view);
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next() * 256);
      return view;
    },
  });
  Object.defineProperty(crypto, "randomUUID", {
    configurable: true,
    writable: true,
    value: (): string => {
      const next = current.getStore();
      if (next === undefined) return randomUUID();
      const digits = (count: number) =>
        Array.from({ length: count }, () => Math.floor(next() * 16).toString(16)).join("");
      return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
    },
  });
}
