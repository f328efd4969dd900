/** What a pass removed, or would remove; `…Bytes` are bytes. */
export interface GcCounts {
  repositories: number;
  manifests: number;
  /** Tags that retention removed. */
  expiredTags: number;
  untaggedManifests: number;
  untaggedManifestBytes: number;
  layerLinks: number;
  layerLinkBytes: number;
  blobs: number;
  blobBytes: number;
  claims: number;
  tagTombstones: number;
  manifestTombstones: number;
  uploadSegments: number;
  uploadBytes: number;
  emptyRepositories: number;
  /** Records of pulls of what is gone. */
  pullTimes: number;
}

/** Why what a pass removed could go, for those who read a report. */
export const reasons: Readonly<Partial<Record<keyof GcCounts, string>>> = {
  expiredTags: "the repository's rule of RETENTION does not keep them",
  untaggedManifests:
    "no tag, image index or subject that lives needs them, and the rule of RETENTION lets such go",
  layerLinks: "no manifest of the repository has referred to the blob for the grace, or the blob was deleted",
  blobs: "in two passes a grace apart no repository had a claim on them",
  claims: "there is no link behind them, and they are older than the grace",
  tagTombstones: "the tag was deleted longer ago than its history is kept",
  manifestTombstones: "the manifest was deleted longer ago than its trace is kept",
  uploadSegments: "the upload session is over",
  emptyRepositories: "nothing is left in them",
  pullTimes: "what was pulled is gone",
};

/** What a pass of garbage collection did, and what it could not do. */
export interface GcReport {
  /** RFC 3339. */
  readonly startedAt: string;
  /** RFC 3339; absent while the pass goes on. */
  finishedAt?: string;
  readonly dryRun: boolean;
  readonly counts: GcCounts;
  /** Human-readable, at most `maxNotes` of them: what was left alone, and why. */
  readonly notes: string[];
}

const maxNotes = 100;

export function newReport(startedAt: number, dryRun: boolean): GcReport {
  return {
    startedAt: new Date(startedAt).toISOString(),
    dryRun,
    counts: {
      repositories: 0,
      manifests: 0,
      expiredTags: 0,
      untaggedManifests: 0,
      untaggedManifestBytes: 0,
      layerLinks: 0,
      layerLinkBytes: 0,
      blobs: 0,
      blobBytes: 0,
      claims: 0,
      tagTombstones: 0,
      manifestTombstones: 0,
      uploadSegments: 0,
      uploadBytes: 0,
      emptyRepositories: 0,
      pullTimes: 0,
    },
    notes: [],
  };
}

export function note(report: GcReport, text: string): void {
  if (report.notes.length < maxNotes) report.notes.push(text);
}
