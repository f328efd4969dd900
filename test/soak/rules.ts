/** Repositories in which nothing goes that no request deletes. */
const unruled = ["soak/a", "soak/b"];
const ruled = ["ruled/a", "ruled/b"];
export const repositories = [...unruled, ...ruled];

/** Milliseconds for which the trace of a tag or a manifest is kept, so that a tag can be restored. */
export const tombstoneAge = 5000;
/** Milliseconds for which a manifest stays that no tag names. */
export const untaggedAge = 6000;
/** Of a lane's builds in a repository so many stay. */
const newest = 2;
const builds = 6;

/** What a lane may count on in a repository with a rule. */
export interface Terms {
  /** Of the lane's builds so many stay. */
  readonly newest: number;
  /** Milliseconds for which a manifest stays that no tag names. */
  readonly untagged: number;
}

/** @param grace of garbage collection, in milliseconds: no manifest goes sooner. @returns undefined where everything stays. */
export function termsOf(repository: string, grace: number): Terms | undefined {
  return ruled.includes(repository) ? { newest, untagged: Math.max(untaggedAge, grace) } : undefined;
}

/**
 * A tag for a lane: a build, of which the rules keep the newest, or a protected or an immutable one.
 * @param serial a number that no other tag of the lane has had.
 */
export function tagFor(lane: string, serial: number): string {
  const kind = Math.random();
  if (kind < 0.1) return `${lane}-v${serial}`;
  return kind < 0.25 ? `${lane}-stable` : `${lane}-build-${Math.floor(Math.random() * builds)}`;
}

/** Tags of which each rule takes or keeps some, `undefined` being none; the same for each repository. */
export function tagsOfEachKind(lane: string, serial: number): readonly (string | undefined)[] {
  const numbers = Array.from({ length: newest + 1 }, (_, index) => index);
  return [
    ...numbers.map((build) => `${lane}-build-${build}`),
    `${lane}-stable`,
    `${lane}-v${serial}`,
    undefined,
  ];
}

export function isBuild(tag: string): boolean {
  return tag.includes("-build-");
}

interface Faulty {
  readonly protect: readonly string[];
  readonly immutable: string;
  readonly newest: number;
  readonly untagged: number | undefined;
}

/** What the registry is told otherwise than the lanes know it: each must make the soak fail. */
export const faults = {
  unprotected: { protect: [] },
  mutable: { immutable: "" },
  "drops-early": { newest: newest - 1 },
  "drops-late": { newest: newest + 1 },
  "removes-early": { untagged: untaggedAge / 8 },
  "removes-never": { untagged: undefined },
} satisfies Record<string, Partial<Faulty>>;

export function isFault(text: string): text is keyof typeof faults {
  return Object.hasOwn(faults, text);
}

/** The registry's variables. The builds of each lane are judged by themselves, as only the lane knows when it set them. */
export function variables(lanes: readonly string[], fault?: keyof typeof faults): Record<string, string> {
  const right: Faulty = { protect: ["*-stable"], immutable: "*:*-v*", newest, untagged: untaggedAge };
  const told: Faulty = { ...right, ...(fault && faults[fault]) };
  const rule = {
    repositories: ruled,
    keep: { any: lanes.map((lane) => ({ newest: told.newest, of: [`${lane}-build-*`] })) },
    protect: told.protect,
    ...(told.untagged !== undefined && { untagged: { keepHours: told.untagged / 3_600_000 } }),
  };
  return { RETENTION: JSON.stringify([rule]), IMMUTABLE_TAGS: told.immutable };
}
