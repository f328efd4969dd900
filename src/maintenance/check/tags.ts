import { tryParseDigest } from "../../oci/digest.ts";
import { isDamage } from "../../storage/damaged-tag.ts";
import type { Key } from "../../storage/key.ts";
import { isSameLife, readLink } from "../../storage/link.ts";
import { projectUntilStable } from "../../storage/projection.ts";
import { isSettled } from "../../storage/record-repair.ts";
import { whenWritable } from "../../storage/register.ts";
import { readTag, type TagState, type TagTarget, tagHeadOf } from "../../storage/tag-register.ts";
import { untagIf } from "../adopt-removals.ts";
import type { Checker } from "./checker.ts";

type TagKey = Extract<Key, { kind: "tag" }>;
type LinkKey = Extract<Key, { kind: "currentLink" }>;

/** Looks at a register: what it names, its reverse entry, and what is derived from it. */
export async function checkTag(checker: Checker, object: R2Object, key: TagKey): Promise<void> {
  const { store } = checker;
  const { name, tag } = key;
  const state = await readIfWhole(checker, object, key);
  if (state?.version === undefined) return;
  const { target } = state;
  if (target !== undefined) {
    const { digest } = target;
    const revision = await readLink(store, store.layout.revisionLink(name, digest), digest);
    if (revision.target === undefined || !isSameLife(revision.generation, target.generation)) {
      await checker.find({ kind: "dead tag", name, tag, digest }, () =>
        untagIf(store, name, tag, (live) => live === undefined),
      );
      return;
    }
    const entry = store.layout.tagged(name, digest, tag);
    if ((await store.bucket.head(entry)) === null) {
      await checker.find({ kind: "missing reverse entry", name, tag, digest }, () =>
        whenWritable(store, () => store.bucket.put(entry, "")),
      );
    }
  }
  // Whoever changed the tag a moment ago may be about to write these.
  if (!isSettled(state, store.clock.now())) return;
  for (const where of await staleProjections(checker, key, target)) {
    await checker.find({ kind: "stale projection", where, name, tag }, () =>
      projectUntilStable(store, name, tag, state),
    );
  }
}

/** Looks at a tag link of distribution's: it is one of Skerry's own if the tag has a register. */
export async function checkCurrentLink(checker: Checker, object: R2Object, key: LinkKey): Promise<void> {
  const { bucket, layout } = checker.store;
  const { name, tag } = key;
  if ((await bucket.head(layout.tag(name, tag))) !== null) return;
  const link = await bucket.get(object.key);
  if (link === null) return;
  if (tryParseDigest(await link.text()) === undefined) {
    await checker.find({ kind: "unreadable", key: object.key });
  } else checker.countForeign(name, "tags");
}

/** The register, unless it is damaged, which is told of. */
async function readIfWhole(
  checker: Checker,
  object: R2Object,
  { name, tag }: TagKey,
): Promise<TagState | undefined> {
  try {
    const state = await readTag(checker.store, name, tag);
    const listed = object.etag === state.version ? tagHeadOf(object) : undefined;
    if (listed === undefined || isSame(listed.target, state.target)) return state;
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  await checker.find({ kind: "damaged tag", name, tag });
  return undefined;
}

function isSame(a: TagTarget | undefined, b: TagTarget | undefined): boolean {
  return a?.digest === b?.digest && a?.generation === b?.generation;
}

/** Which projections disagree with the register. That a record is missing costs time alone, and is no fault. */
async function staleProjections(
  { store }: Checker,
  { name, tag }: TagKey,
  target: TagTarget | undefined,
): Promise<("current/link" | "KV record")[]> {
  const link = await store.bucket.get(store.layout.currentLink(name, tag));
  const record = await store.tagRecords?.get(name, tag);
  const stale: ("current/link" | "KV record")[] = [];
  if ((link === null ? undefined : await link.text()) !== target?.digest) stale.push("current/link");
  if (record !== undefined && !isSame(record.target, target)) stale.push("KV record");
  return stale;
}
