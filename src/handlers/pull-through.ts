import type { RepositoryName } from "../oci/name.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import type { UpstreamRepository } from "../upstream/upstreams.ts";
import { type RegistryContext, seeThrough, type TagOrDigest } from "./context.ts";

/** What tells a client that a copy may be out of date (distribution-spec, "Warnings"). */
const staleWarning = {
  Warning: '299 - "the upstream registry could not be asked: this may be out of date"',
} as const;

/** What was found, and the headers that say how good it is. */
export interface Located<Found> {
  readonly found: Found | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Finds a manifest of an upstream's repository: what is here, once the upstream was asked for a tag that may have
 * moved, or for what is missing. A registry that is read-only keeps nothing, and so asks nobody.
 * @param find looks for what is here.
 * @throws UpstreamError
 */
export async function findThrough<Found>(
  c: RegistryContext,
  repository: UpstreamRepository,
  wanted: TagOrDigest,
  find: () => Promise<Found | undefined>,
): Promise<Located<Found>> {
  const { pullThrough, config, store } = c.var.registry;
  if (config.readOnly) return { found: await find(), headers: {} };
  if ("digest" in wanted) {
    const here = await find();
    if (here !== undefined) return { found: here, headers: {} };
    await seeThrough(c, pullThrough.manifests.fetch(store, repository, wanted.digest));
    return { found: await find(), headers: {} };
  }
  const { tag } = wanted;
  let failure = await seeThrough(c, pullThrough.manifests.freshen(store, repository, tag));
  let found = failure === undefined || failure.leavesCopy ? await find() : undefined;
  if (found === undefined && failure === undefined) {
    failure = await seeThrough(c, pullThrough.manifests.freshen(store, repository, tag, true));
    found = await find();
  }
  if (failure === undefined) return { found, headers: {} };
  if (found === undefined || !failure.leavesCopy) throw failure;
  return { found, headers: staleWarning };
}

/**
 * A listing of a repository: the upstream's for one of its own, ours if the upstream cannot be asked.
 * @throws UpstreamError
 */
export async function listThrough(
  c: RegistryContext,
  name: RepositoryName,
  theirs: (repository: UpstreamRepository) => Promise<Response>,
  ours: () => Promise<Response>,
): Promise<Response> {
  const { pullThrough, config } = c.var.registry;
  const repository = pullThrough.repository(name);
  if (repository === undefined || config.readOnly) return ours();
  try {
    return await theirs(repository);
  } catch (error) {
    if (!(error instanceof UpstreamError) || !error.isPassing) throw error;
    const answer = await ours().catch(() => {
      throw error;
    });
    answer.headers.set("Warning", staleWarning.Warning);
    return answer;
  }
}
