import * as v from "valibot";

/**
 * Reads JSON that may hold secrets; no text at all is an empty list.
 * @throws Error that says where it is wrong, and nothing of what stands there: it goes to the log.
 */
export function readSecretJson<Value>(schema: v.GenericSchema<unknown, Value>, text: string): Value {
  const result = v.safeParse(schema, parse(text === "" ? "[]" : text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  // Valibot's messages quote what they found; ours do not.
  const isOurs = issue.type === "check" || issue.type === "raw_transform";
  throw new Error(`${place ?? "the value"}: ${isOurs ? issue.message : `wrong (${issue.type})`}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("not JSON");
  }
}
