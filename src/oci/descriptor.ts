import { type Digest, tryParseDigest } from "./digest.ts";
import { isJsonObject } from "./json.ts";
import {
  type Annotations,
  annotations,
  type Complain,
  integer,
  type Kind,
  readField,
  text,
  texts,
  tolerate,
} from "./json-field.ts";

/** The part of a platform that Skerry looks at (image-spec, image-index.md). */
export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
  readonly variant?: string;
}

/** A descriptor whose digest may be any text. What its document leaves out is `""` or 0, as in distribution. */
export interface UncheckedDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes, a safe integer from 0. Not compared with the content (D3). */
  readonly size: number;
  readonly urls?: readonly string[] | undefined;
  readonly annotations?: Annotations | undefined;
  readonly artifactType?: string | undefined;
  readonly platform?: Platform | undefined;
  /** The content in base64, neither checked nor used (D9; OCI requirement 78). */
  readonly data?: string | undefined;
}

/** A content descriptor (image-spec, descriptor.md). */
export interface Descriptor extends UncheckedDescriptor {
  readonly digest: Digest;
}

const platform: Kind<Platform> = {
  expected: "an object with strings architecture, os and variant",
  is: (value): value is Platform =>
    isJsonObject(value) &&
    [value.architecture, value.os, value.variant].every(
      (part) => part === undefined || typeof part === "string",
    ),
};

/**
 * The descriptor that a JSON value is; its digest is not checked yet.
 * @param path where the value stands in its document, such as `layers[3]`.
 */
export function readDescriptor(value: unknown, path: string, complain: Complain): UncheckedDescriptor {
  if (!isJsonObject(value)) complain(path, "a descriptor");
  const fields = isJsonObject(value) ? value : {};
  const read = <T>(name: string, kind: Kind<T>) => readField(fields, name, kind, path, complain);
  return {
    mediaType: read("mediaType", text) ?? "",
    digest: read("digest", text) ?? "",
    size: read("size", integer) ?? 0,
    urls: read("urls", texts),
    annotations: read("annotations", annotations),
    artifactType: read("artifactType", text),
    platform: read("platform", platform),
    data: read("data", text),
  };
}

/** Whether the digest is one that Skerry verifies. */
export function hasDigest(descriptor: UncheckedDescriptor): descriptor is Descriptor {
  return tryParseDigest(descriptor.digest) !== undefined;
}

/** The descriptor that a stored JSON value is, without its faulty fields; undefined if its digest is faulty. */
export function descriptorOf(value: unknown): Descriptor | undefined {
  const descriptor = readDescriptor(value, "", tolerate);
  return hasDigest(descriptor) ? descriptor : undefined;
}
