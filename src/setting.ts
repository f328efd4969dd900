import * as v from "valibot";

/** A variable: its value as text when it is not set, what it may be, and what it does (for the documentation). */
export interface Setting<Value> {
  readonly fallback: string;
  readonly schema: v.GenericSchema<string, Value>;
  readonly about: string;
}

export function setting<Value>(
  fallback: string,
  schema: v.GenericSchema<string, Value>,
  about: string,
): Setting<Value> {
  return { fallback, schema, about };
}

/** `true` or `false`. */
export const flag = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((text) => text === "true"),
);

/** Words separated by white space. */
export const words = v.pipe(
  v.string(),
  v.transform((text) => text.split(/\s+/).filter((word) => word !== "")),
);

/** An integer from `min` to `max`. */
export function number(min: number, max: number): v.GenericSchema<string, number> {
  return v.pipe(
    v.string(),
    v.regex(/^\d+$/),
    v.transform(Number),
    v.number(),
    v.minValue(min),
    v.maxValue(max),
  );
}

/** What `parse` makes of the text; the message of the error that it throws is the setting's. */
export function parsed<Value>(parse: (text: string) => Value): v.GenericSchema<string, Value> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        addIssue({ message: error instanceof Error ? error.message : String(error) });
        return NEVER;
      }
    }),
  );
}

/** What `compile` makes of words separated by white space. */
export function compiled<Value>(compile: (words: string[]) => Value): v.GenericSchema<string, Value> {
  return parsed((text) => compile(v.parse(words, text)));
}
