/** One way to run the suite, and what a registry that supports everything gets in it. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  /** Environment variables of the suite. */
  readonly settings: Readonly<Record<string, string>>;
  /** Variables of the registry. */
  readonly vars: Readonly<Record<string, string>>;
  readonly passes: number;
  /** The checks that the suite itself leaves out with these settings. */
  readonly disabled: readonly string[];
}

export const profiles: readonly Profile[] = [
  {
    name: "1.1",
    title: "distribution-spec 1.1",
    settings: { OCI_VERSION: "1.1" },
    vars: {},
    passes: 860,
    // Cancelling an upload came after 1.1.
    disabled: ["sha256 blobs/post cancel/blob-post-cancel", "sha512 blobs/post cancel/blob-post-cancel"],
  },
  {
    name: "dev",
    title: "distribution-spec 1.2-dev",
    settings: { OCI_VERSION: "dev" },
    vars: {},
    passes: 986,
    disabled: [],
  },
  {
    // A manifest that lacks a layer and an index that lacks a manifest must be answered with 201 here.
    name: "dev-sparse",
    title: "distribution-spec 1.2-dev, sparse manifests",
    settings: { OCI_VERSION: "dev", OCI_DATA_SPARSE: "true" },
    vars: { MISSING_REFERENCES: "accept" },
    passes: 1032,
    disabled: [],
  },
];
