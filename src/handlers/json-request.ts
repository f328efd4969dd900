import * as v from "valibot";
import { tryParseJson } from "../oci/json.ts";
import { malformed, requireJson } from "./admin.ts";
import { readLimited } from "./body.ts";
import type { RegistryContext } from "./context.ts";

/**
 * The body of a request that is JSON of a certain form.
 * @param maxBody bytes that it has at most.
 * @throws RegistryError 400 for another Content-Type, for what is no JSON or of another form, or has more bytes.
 */
export async function readJson<Schema extends v.GenericSchema>(
  c: RegistryContext,
  schema: Schema,
  maxBody: number,
): Promise<v.InferOutput<Schema>> {
  requireJson(c);
  const bytes = await readLimited(c.req.raw, maxBody);
  const result = v.safeParse(schema, bytes && tryParseJson(new TextDecoder().decode(bytes)));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw malformed(`${v.getDotPath(issue) ?? "the body"}: ${issue.message}`);
}
