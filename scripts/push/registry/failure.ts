/** What a registry, or the way to it, did not do. Its message is for the user and says what helps. */
export class RegistryFailure extends Error {
  /** Of the answer; undefined if there was none. */
  readonly status: number | undefined;
  /** Whether the same request may succeed later. */
  readonly isTemporary: boolean;
  /** Milliseconds that the registry asked to wait. */
  readonly retryAfter: number | undefined;
  /** The codes of the answer (distribution-spec, "Error Codes"). */
  readonly codes: readonly string[];

  constructor(
    message: string,
    options: {
      readonly status?: number;
      readonly isTemporary?: boolean;
      readonly retryAfter?: number | undefined;
      readonly codes?: readonly string[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "RegistryFailure";
    this.status = options.status;
    this.isTemporary = options.isTemporary ?? false;
    this.retryAfter = options.retryAfter;
    this.codes = options.codes ?? [];
  }
}

const tlsHint = "if the registry speaks plain HTTP, say --plain-http";
const certificateHint =
  "if its certificate is one of your own, name the file of its issuer in NODE_EXTRA_CA_CERTS";

/** What helps against an error of a connection, by the code of Node's or OpenSSL's. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name cannot be looked up now",
  EPROTO: tlsHint,
  ERR_SSL_WRONG_VERSION_NUMBER: tlsHint,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: tlsHint,
  SELF_SIGNED_CERT_IN_CHAIN: certificateHint,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificateHint,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificateHint,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificateHint,
};

/** Codes of errors that no repetition mends. */
const permanent = /^(ENOTFOUND$|EPROTO$|ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** A connection that failed before an answer was there. */
export function connectionFailure(method: string, url: URL, cause: unknown): RegistryFailure {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const hint = hints[code];
  // OpenSSL's own words for it have several lines, and none of them helps.
  const told = hint === tlsHint ? "no answer in TLS" : error.message || code;
  const message = `${method} ${url.origin}${url.pathname}: ${told}${hint ? ` (${hint})` : ""}`;
  return new RegistryFailure(message, { isTemporary: !permanent.test(code), cause });
}
