import { manifestInvalid } from "./invalid.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

/** Told of each field that is not what the specification says: throws, or lets the field count as absent. */
export type Complain = (path: string, expected: string) => void;

/** Refuses what a client sends: MANIFEST_INVALID (400). */
export const refuse: Complain = (path, expected) => {
  throw manifestInvalid(`${path}: ${expected} expected`);
};

/** Passes over what is wrong in documents that somebody else has stored. */
export const tolerate: Complain = () => {};

/** A kind of JSON value, and what to call it in an error. */
export interface Kind<T> {
  readonly expected: string;
  is(value: unknown): value is T;
}

export type Annotations = Readonly<Record<string, string>>;

export const text: Kind<string> = { expected: "a string", is: isString };

export const texts: Kind<readonly string[]> = {
  expected: "an array of strings",
  is: (value): value is readonly string[] => Array.isArray(value) && value.every(isString),
};

export const list: Kind<readonly unknown[]> = {
  expected: "an array",
  is: (value): value is readonly unknown[] => Array.isArray(value),
};

export const integer: Kind<number> = {
  expected: `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
  is: (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
};

export const annotations: Kind<Annotations> = {
  expected: "an object of strings",
  is: (value): value is Annotations => isJsonObject(value) && Object.values(value).every(isString),
};

/** One field of `fields`, whose own path is `path` ("" for the document); null counts as absent, as in Go. */
export function readField<T>(
  fields: JsonObject,
  name: string,
  kind: Kind<T>,
  path: string,
  complain: Complain,
): T | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (kind.is(value)) return value;
  complain(path === "" ? name : `${path}.${name}`, kind.expected);
  return undefined;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
