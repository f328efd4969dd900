export type Store = "R2" | "KV" | "cache";

export type Kind =
  | "get"
  | "head"
  | "put"
  | "list"
  | "delete"
  | "createMultipartUpload"
  | "uploadPart"
  | "complete"
  | "abort";

/** One call of a double: what a real binding would send to R2, KV or the cache of the data centre. */
export interface Operation {
  readonly store: Store;
  readonly kind: Kind;
  /** The key; for a list its prefix; for a delete every key. */
  readonly keys: readonly string[];
  /** The request or client that called: the name given to `actor()`. */
  readonly actor: string;
  /** True for a get or put with `onlyIf`. */
  readonly conditional: boolean;
}

/** How Cloudflare bills an R2 operation ("R2 pricing"): A for writes and lists, B for reads, delete and abort free. */
export type OperationClass = "A" | "B" | "free";

const classes: Readonly<Record<Kind, OperationClass>> = {
  get: "B",
  head: "B",
  put: "A",
  list: "A",
  delete: "free",
  createMultipartUpload: "A",
  uploadPart: "A",
  complete: "A",
  abort: "free",
};

export function operationClass(operation: Operation): OperationClass {
  return classes[operation.kind];
}

/** True if the operation can change what later reads of its store see. */
export function mutates(operation: Operation): boolean {
  return operation.kind !== "get" && operation.kind !== "head" && operation.kind !== "list";
}

/** `R2 put <key>`, `R2 put <key> (conditional)`, `KV get <key>`, `cache get <URL>`; several keys are separated by a space. */
export function printOperation(operation: Operation): string {
  const condition = operation.conditional ? " (conditional)" : "";
  return `${operation.store} ${operation.kind} ${operation.keys.join(" ")}${condition}`;
}
