/**
 * The error codes of the distribution specification ("Error Codes") with the status each has unless a caller
 * says otherwise. `UNKNOWN` is for 5xx alone: the specification's list binds 4xx answers only.
 */
const table = {
  BLOB_UNKNOWN: { status: 404, message: "blob unknown to registry" },
  BLOB_UPLOAD_INVALID: { status: 400, message: "blob upload invalid" },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: "blob upload unknown to registry" },
  DENIED: { status: 403, message: "requested access to the resource is denied" },
  DIGEST_INVALID: { status: 400, message: "provided digest did not match uploaded content" },
  MANIFEST_BLOB_UNKNOWN: { status: 400, message: "blob unknown to registry" },
  MANIFEST_INVALID: { status: 400, message: "manifest invalid" },
  MANIFEST_UNKNOWN: { status: 404, message: "manifest unknown" },
  NAME_INVALID: { status: 400, message: "invalid repository name" },
  NAME_UNKNOWN: { status: 404, message: "repository name not known to registry" },
  SIZE_INVALID: { status: 400, message: "provided length did not match content length" },
  TOOMANYREQUESTS: { status: 429, message: "too many requests" },
  UNAUTHORIZED: { status: 401, message: "authentication required" },
  UNSUPPORTED: { status: 405, message: "the operation is unsupported" },
  UNKNOWN: { status: 500, message: "internal error" },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>;

export type ErrorCode = keyof typeof table;

/** One entry of the `errors` array that clients read. `detail` must never carry a storage key or a stack. */
export interface ErrorEntry {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: unknown;
}

export interface RegistryErrorOptions {
  /** HTTP status, when it is not the usual one of the code. */
  readonly status?: number;
  readonly message?: string;
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What went wrong inside: logged, never sent. */
  readonly cause?: unknown;
}

/** An entry of the error envelope with the usual message of its code. */
export function errorEntry(code: ErrorCode, detail?: unknown, message?: string): ErrorEntry {
  const entry = { code, message: message ?? table[code].message };
  return detail === undefined ? entry : { ...entry, detail };
}

/** The only error that a handler throws on purpose: an answer of the registry that is not a success. */
export class RegistryError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly entries: readonly ErrorEntry[];

  constructor(code: ErrorCode, options: RegistryErrorOptions = {}) {
    const entry = errorEntry(code, options.detail, options.message);
    super(`${code}: ${entry.message}`, { cause: options.cause });
    this.name = "RegistryError";
    this.status = options.status ?? table[code].status;
    this.headers = options.headers ?? {};
    this.entries = [entry];
  }

  /** One answer with several entries; the first one decides the status unless `options.status` does. */
  static of(
    entries: readonly [ErrorEntry, ...ErrorEntry[]],
    options: Omit<RegistryErrorOptions, "message" | "detail"> = {},
  ): RegistryError {
    const error = new RegistryError(entries[0].code, options);
    Object.defineProperty(error, "entries", { value: entries, enumerable: true });
    return error;
  }
}

/** 503 with `Retry-After`: the request did nothing wrong, and the same request may succeed in `seconds`. */
export function retryLater(
  seconds: number,
  message: string,
  options: Pick<RegistryErrorOptions, "detail" | "cause"> = {},
): RegistryError {
  return new RegistryError("TOOMANYREQUESTS", {
    ...options,
    status: 503,
    message,
    headers: { "Retry-After": String(seconds) },
  });
}

/**
 * 499: the client went away in the middle of its body, or the body is malformed. Nobody is left to answer: the status
 * is for the log (rule A51), and it is no fault of the registry's.
 * @param cause what reading the body said.
 * @throws TypeError as it is: the stream was misused, by the registry.
 */
export function clientGone(cause: unknown): RegistryError {
  if (cause instanceof TypeError) throw cause;
  return new RegistryError("SIZE_INVALID", { status: 499, message: "the body ended early" });
}
