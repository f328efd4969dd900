/** One line of docs/interleavings.md, as a test hands it to the reporter. */
export type Row = OrdersRow | CrashesRow | MutationRow;

interface Found {
  readonly name: string;
  readonly histories: number;
  readonly violations: number;
}

export interface OrdersRow extends Found {
  readonly table: "orders";
  readonly complete: boolean;
  readonly turns: number;
  readonly unreduced: number;
  readonly orders: number;
  readonly pruned: number;
  readonly samples: number;
}

export interface CrashesRow extends Found {
  readonly table: "crashes";
  readonly points: number;
  readonly sampled: number;
  readonly runs: number;
}

export interface MutationRow {
  readonly table: "mutations";
  readonly name: string;
  /** undefined for a step that is not needed. */
  readonly caughtBy: string | undefined;
  readonly needsCrash: boolean;
  readonly complaint: string;
  readonly runs: number;
}

declare module "vitest" {
  interface TaskMeta {
    interleavings?: Row;
  }
}
