import type { Kind } from "./operation.ts";

/** R2's texts by code (R2 "Error codes"); a binding's error carries the code at the end of its message. */
const messages = {
  10001: "We encountered an internal error. Please try again.",
  10011: "Your proposed upload is smaller than the minimum allowed object size.",
  10012: "Your metadata headers exceed the maximum allowed metadata size.",
  10020: "The specified object name is not valid.",
  10022: "MaxKeys params must be positive integer <= 1000.",
  10024: "The specified multipart upload does not exist.",
  10025: "One or more of the specified parts could not be found.",
  10037: "The checksum you specified did not match what we received.",
  10039: "The requested range is not satisfiable",
  10048: "There was a problem with the multipart upload.",
  10058: "Reduce your concurrent request rate for the same object.",
} as const;

export type R2ErrorCode = keyof typeof messages;

/** The error that the R2 binding rejects with for that code: `put: We encountered ... (10001)`. */
export function r2Error(kind: Kind, code: R2ErrorCode, message: string = messages[code]): Error {
  const verb = kind === "complete" || kind === "abort" ? `${kind}MultipartUpload` : kind;
  return new Error(`${verb}: ${message} (${code})`);
}
