import type { RepositoryName } from "../../oci/name.ts";
import { mapBounded } from "../../storage/bounded.ts";
import { linkOf } from "../../storage/link.ts";
import { whenWritable } from "../../storage/register.ts";
import type { Store } from "../../storage/store.ts";
import { isDistributions } from "../distribution-keys.ts";
import { pages } from "../pages.ts";
import { Checker, type CheckOptions, guarded } from "./checker.ts";
import { checkClaims } from "./claims.ts";
import { checkData } from "./data.ts";
import type { Finding } from "./finding.ts";
import { checkLayerLink } from "./links.ts";
import { checkReferrer, checkRevision } from "./manifests.ts";
import { checkCurrentLink, checkTag } from "./tags.ts";

/** What a check did. */
export interface CheckSummary {
  /** Keys looked at. */
  readonly keys: number;
  readonly found: number;
  /** Findings that are left. */
  readonly left: number;
}

/**
 * Compares the keys of a bucket with one another (docs/check.md): registers, reverse entries, projections, links,
 * claims, data, manifests and referrers. Goes through it page by page, `store.concurrency` keys at a time. With
 * `repair` it mends what can be mended, by the protocols of docs/protocols.md, so that it may run beside requests.
 * @param report called with each finding as it is made.
 * @param progress called after each page with the keys looked at so far.
 * @throws what a listing throws; a key at which R2 fails is a finding.
 */
export async function checkBucket(
  store: Store,
  options: CheckOptions,
  report: (finding: Finding) => void,
  progress: (keys: number) => void = () => undefined,
): Promise<CheckSummary> {
  const { layout } = store;
  let found = 0;
  let left = 0;
  let keys = 0;
  const checker = new Checker(store, options, (finding) => {
    found += 1;
    if (!finding.repaired) left += 1;
    report(finding);
  });
  const prefix = options.name === undefined ? layout.repositories() : layout.keysOf(options.name);
  for await (const page of pages(store, prefix, { metadata: true })) {
    await mapBounded(page, store.concurrency, (object) => guarded(checker, object, checkObject));
    await checkCatalog(checker, page);
    await checker.flushForeign(layout.repositoryOf(page.at(-1)?.key ?? ""));
    keys += page.length;
    progress(keys);
  }
  await checker.flushForeign();
  if (options.name === undefined) {
    await checkClaims(checker, (more) => {
      keys += more;
      progress(keys);
    });
  }
  if (options.hash !== undefined && options.name === undefined) {
    for await (const page of pages(store, layout.blobs())) {
      await mapBounded(page, store.concurrency, (object) => guarded(checker, object, checkBlob));
      keys += page.length;
      progress(keys);
    }
  }
  return { keys, found, left };
}

async function checkObject(checker: Checker, object: R2Object): Promise<void> {
  const key = checker.store.layout.parse(object.key);
  switch (key?.kind) {
    case "layerLink":
      return checkLayerLink(checker, object, key);
    case "revisionLink":
      return checkRevision(checker, object, key);
    case "currentLink":
      return checkCurrentLink(checker, object, key);
    case "tag":
      return checkTag(checker, object, key);
    case "referrer":
      return checkReferrer(checker, object, key);
    case undefined:
      if (!isDistributions(object.key)) await checker.find({ kind: "stray key", key: object.key });
  }
}

async function checkBlob(checker: Checker, object: R2Object): Promise<void> {
  const key = checker.store.layout.parse(object.key);
  if (key?.kind === "blobData") await checkData(checker, key.digest);
  else await checker.find({ kind: "stray key", key: object.key });
}

/** Looks whether the repositories of a page that have live manifests of Skerry's are in the catalog. */
async function checkCatalog(checker: Checker, page: readonly R2Object[]): Promise<void> {
  const { store } = checker;
  const names = new Set<RepositoryName>();
  for (const object of page) {
    const key = store.layout.parse(object.key);
    if (key?.kind === "revisionLink" && linkOf(object, key.digest)?.target !== undefined) names.add(key.name);
  }
  await mapBounded(names, store.concurrency, async (name) => {
    const entry = store.layout.catalog(name);
    if ((await store.bucket.head(entry)) !== null) return;
    await checker.find({ kind: "missing catalog entry", name }, () =>
      whenWritable(store, () => store.bucket.put(entry, "")),
    );
  });
}
