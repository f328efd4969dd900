import { type ErrorCode, RegistryError, type RegistryErrorOptions } from "../oci/error.ts";

/**
 * Why an upstream did not give what was asked for: it could not be reached or did not make sense, what it has is not
 * taken here, it wants to be asked less often, it does not let us have it, or it has not got it.
 */
export type UpstreamFault = "unreachable" | "unusable" | "limited" | "refused" | "missing";

/** The answer of a pull that needed an upstream and did not get what it needed. */
export class UpstreamError extends RegistryError {
  readonly fault: UpstreamFault;

  constructor(fault: UpstreamFault, code: ErrorCode, options: RegistryErrorOptions) {
    super(code, options);
    this.fault = fault;
  }

  /** Whether another attempt may succeed. */
  get isPassing(): boolean {
    return this.fault === "unreachable" || this.fault === "limited";
  }

  /** Whether an older copy is a better answer: the upstream did not say that we may not have it. */
  get leavesCopy(): boolean {
    return this.isPassing || this.fault === "unusable";
  }
}

/** 502: what came back was no answer to the question. The cause is for the log. */
export function unreachable(cause: unknown): UpstreamError {
  return new UpstreamError("unreachable", "UNKNOWN", {
    status: 502,
    message: "the upstream registry gives no usable answer",
    cause,
  });
}

/** 502: the manifest that the upstream certainly has is not taken here. @param cause what is wrong with it. */
export function unusable(cause: RegistryError): UpstreamError {
  const { code = "MANIFEST_INVALID", message, detail } = cause.entries[0] ?? {};
  const what = typeof detail === "string" ? detail : message;
  return new UpstreamError("unusable", code, {
    status: 502,
    message: `the upstream's manifest is not taken here: ${what}`,
    cause,
  });
}

/** 504: nothing came back within the upstream's time. */
export function timedOut(cause: unknown): UpstreamError {
  return new UpstreamError("unreachable", "UNKNOWN", {
    status: 504,
    message: "the upstream registry does not answer in time",
    cause,
  });
}

/** 429 with `Retry-After`, in whole seconds. */
export function limited(milliseconds: number): UpstreamError {
  return new UpstreamError("limited", "TOOMANYREQUESTS", {
    message: "the upstream registry limits requests",
    headers: { "Retry-After": String(Math.max(1, Math.ceil(milliseconds / 1000))) },
  });
}

/**
 * The upstream's 401 or 403. It carries no challenge: the credentials that the upstream wants are not those of the
 * client, who is logged in here already.
 */
export function refusedUpstream(status: number): UpstreamError {
  return new UpstreamError("refused", status === 401 ? "UNAUTHORIZED" : "DENIED", {
    message: "the upstream registry refuses access, or has no such repository",
  });
}

/** The upstream's 404, as the code of what was asked for. */
export function missingUpstream(code: ErrorCode, detail: unknown): UpstreamError {
  return new UpstreamError("missing", code, { detail });
}
