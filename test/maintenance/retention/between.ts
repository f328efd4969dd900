import { immediate } from "../../doubles/gate.ts";
import type { RetentionWorld } from "./world.ts";

/**
 * Lets `work` happen, all of it, before the operation with this number of all that come from now on.
 * @returns tells whether it came so far.
 */
export function before(number: number, world: RetentionWorld, work: () => Promise<unknown>): () => boolean {
  const { gate } = world.registry;
  let operations = 0;
  let isDone = false;
  gate.policy = async () => {
    if (operations++ !== number) return undefined;
    isDone = true;
    gate.policy = immediate;
    await work();
    return undefined;
  };
  return () => {
    gate.policy = immediate;
    return isDone;
  };
}
