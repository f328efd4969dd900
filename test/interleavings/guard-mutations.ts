import type { StoredObject } from "../doubles/r2-object.ts";
import type { Sweep } from "./collector.ts";
import type { Ports } from "./execution.ts";
import type { Mutation } from "./mutations.ts";
import { tamper } from "./tamper.ts";

/** Steps that matter to garbage collection alone; the cases are those of collector.ts. */
export interface GuardMutation extends Pick<Mutation, "name" | "caughtBy" | "complaint"> {
  /** What the writers do wrong. */
  readonly wrap?: (ports: Ports) => Ports;
  /** What the collector leaves out. */
  readonly without?: Sweep["without"];
}

/** The guard goes on looking as it did when the actor first looked. */
const neverLooksAtGuardAgain = tamper(() => {
  let first: Promise<StoredObject | null> | undefined;
  return {
    read: ({ kind }, next) => {
      if (kind !== "guard") return next();
      first ??= next();
      return first;
    },
  };
});

export const guardMutations: readonly GuardMutation[] = [
  {
    name: "a commit does not look at the guard again",
    wrap: neverLooksAtGuardAgain,
    caughtBy: "commit / sweep of its link",
    complaint: "layerLink of layer A in app has no owner",
  },
  {
    name: "a mount does not look at the guard again",
    wrap: neverLooksAtGuardAgain,
    caughtBy: "mount / sweep of source, data",
    complaint: "layerLink of layer A in copy leads to no data",
  },
  {
    name: "a sweep is not announced",
    without: "announcement",
    caughtBy: "commit / sweep of its link",
    complaint: "layerLink of layer A in app has no owner",
  },
  {
    name: "a sweep does not verify its candidate",
    without: "verification",
    caughtBy: "commit / sweep of link, data",
    complaint: "layerLink of layer A in app leads to no data",
  },
];
