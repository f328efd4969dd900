import type { Config } from "../../src/config.ts";
import type { World } from "./world.ts";

/** What is known of an entry of the error envelope. */
export interface ExpectedError {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** A request after the one that is looked at, with its status, and the JSON or the labelled content of its body. */
export type Afterwards = readonly [request: string, status: number, body?: unknown];

/**
 * A rule as a request and its answer. A label such as `<image>` stands for the digest of that content, see World.
 */
export interface Row {
  /** Rules of the behaviour, separated by spaces: `A28`, `D.1`, `P7`. */
  readonly rule: string;
  readonly condition: string;
  readonly config?: Partial<Config>;
  readonly given?: (world: World) => Promise<unknown>;
  /** `GET /v2/app/manifests/<image>`. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `<label>`: that content. Other text: as it is. An object: its JSON, labelled `body`. A stream has no length. */
  readonly body?: string | object | (() => ReadableStream);
  readonly status: number;
  /** Headers of the answer; null for one that must not be there. */
  readonly answer?: Readonly<Record<string, string | null>>;
  /** Every entry of the error envelope, in order. */
  readonly errors?: readonly ExpectedError[];
  /** The body: `<label>` for that content, else its JSON. */
  readonly content?: unknown;
  /** The digests of the image index that the body is, in any order. */
  readonly referrers?: readonly string[];
  readonly afterwards?: readonly Afterwards[];
  /** What keys of the bucket then hold; null: there is no such key. */
  readonly keys?: Readonly<Record<string, string | null>>;
  /** Where distribution answers otherwise: what it does, and why that is not done here. */
  readonly differs?: Difference;
  /** The path has no second form, with or without a slash at its end. */
  readonly oneForm?: true;
}

export interface Difference {
  /** Status and code that distribution answers. */
  readonly seed: string;
  /** `M8`: a defect of distribution (section M). `OCI 79`: a requirement of the specification. Else words. */
  readonly because: string;
}
