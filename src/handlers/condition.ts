import { ifMatch, ifNoneMatch } from "../oci/conditional.ts";
import type { TagCondition } from "../storage/tag-set.ts";
import type { RegistryContext } from "./context.ts";

/** `If-Match` and `If-None-Match` of a write, on what is there; undefined if the request has neither. */
export function conditionOf(c: RegistryContext): TagCondition | undefined {
  const match = c.req.header("If-Match");
  const noneMatch = c.req.header("If-None-Match");
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    const etag = current && `"${current}"`;
    return ifMatch(match ?? null, etag) && !ifNoneMatch(noneMatch ?? null, etag);
  };
}
