import { retentionOf } from "../maintenance/gc/settings.ts";
import { pullsRecordedSince } from "../maintenance/retention/pulls-recorded.ts";
import { asksForPulls, ruleFor } from "../maintenance/retention/rules.ts";
import { type JudgedTag, judgeTags } from "../maintenance/retention/tags.ts";
import type { RepositoryName } from "../oci/name.ts";
import type { Registry } from "../registry.ts";
import { requireAdmin } from "./admin.ts";
import { type RegistryContext, repositoryFor } from "./context.ts";
import { jsonPage, pageParams } from "./paging.ts";

/** Tags on a page at most. */
const pageSize = 1000;

/**
 * GET `/v2/<name>/_skerry/retention` (docs/retention.md): for each tag whether the repository's rule keeps it, and
 * what of the rule does. Nothing is changed.
 */
export async function getVerdicts(c: RegistryContext): Promise<Response> {
  requireAdmin(c);
  const name = repositoryFor(c, "pull");
  const { n, last } = pageParams(c);
  const limit = Math.min(Math.max(n ?? pageSize, 1), pageSize);
  const rule = ruleFor(c.var.registry.config.retention, name);
  const found = await verdicts(c.var.registry, name, limit + 1, last);
  const page = found.slice(0, limit);
  const body = { name, rule: rule ?? null, tags: page.map(describe) };
  const next = found.length > limit ? { n: limit, last: page.at(-1)?.tag } : undefined;
  return jsonPage(c, body, next);
}

/** What retention says of the tags after `last`, `limit` at most. A repository without a rule keeps all. */
export async function verdicts(
  { store, config }: Registry,
  name: RepositoryName,
  limit: number,
  last: string | undefined,
): Promise<readonly JudgedTag[]> {
  const rule = ruleFor(config.retention, name) ?? { repositories: [], protect: [] };
  const recordedSince = asksForPulls(rule) ? await pullsRecordedSince(store, name, false) : 0;
  const { isImmutable } = retentionOf(config);
  const found: JudgedTag[] = [];
  for await (const page of judgeTags(store, name, rule, { isImmutable, recordedSince }, last)) {
    found.push(...page.slice(0, limit - found.length));
    if (found.length === limit) break;
  }
  return found;
}

function describe({ tag, head, verdict }: JudgedTag) {
  return { tag, digest: head.target.digest, setAt: new Date(head.at).toISOString(), ...verdict };
}
