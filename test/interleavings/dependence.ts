import { mutates, type Operation } from "../doubles/operation.ts";
import type { Event } from "./execution.ts";

/**
 * Whether two turns may be told apart by their order. They commute, and only one order of them is explored, if
 * none of these holds:
 * - both touch one key of one store (a list touches every key below its prefix), and one of them changed it;
 * - one answered a request and the other began one of another client: the order is what "before" means;
 * - one came of the other (see `causes`);
 * - one of them wrote an entry of a tag's index: its time is compared with what others read from their clock.
 * An operation that changed nothing (a read, a put whose condition failed) is a read. The end of a sleep
 * commutes with everything: Skerry compares times only where minutes count, and such cases move the clock.
 */
export function dependent(a: Event, b: Event): boolean {
  if (a.client !== b.client && ((a.answers && b.begins) || (b.answers && a.begins))) return true;
  if (!a.changed && !b.changed) return false;
  if (a.client !== b.client && (isTimed(a) || isTimed(b))) return true;
  return a.operation !== undefined && b.operation !== undefined && overlap(a.operation, b.operation);
}

function isTimed({ operation, changed }: Event): boolean {
  return changed && operation?.keys.some((key) => key.includes("/index/")) === true;
}

/** Whether `later` may have been called because of `earlier`: same client, and called after it was answered. */
export function causes(earlier: Event, index: number, later: Event): boolean {
  return earlier.client === later.client && index < later.issuedAt;
}

function overlap(a: Operation, b: Operation): boolean {
  if (a.store !== b.store) return false;
  if (a.kind === "list") return mutates(b) && b.keys.some((key) => key.startsWith(a.keys[0] ?? ""));
  if (b.kind === "list") return overlap(b, a);
  return a.keys.some((key) => b.keys.includes(key));
}
