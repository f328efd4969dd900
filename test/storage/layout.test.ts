import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Digest, digestFrom } from "../../src/oci/digest.ts";
import { parseRepositoryName, type RepositoryName, type Tag, tryParseTag } from "../../src/oci/name.ts";
import type { Key } from "../../src/storage/key.ts";
import { Layout, maxPrefixLength, tagRecordKey } from "../../src/storage/layout.ts";

const hexDigits = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const digests = fc.oneof(
  hexDigits(64).map((hex) => digestFrom("sha256", hex)),
  hexDigits(128).map((hex) => digestFrom("sha512", hex)),
);
// Words that appear in keys are the likeliest to be taken for something else.
const words = fc.constantFrom(
  "a",
  "foo",
  "manifests",
  "blobs",
  "tags",
  "link",
  "uploads",
  "data",
  "skerry",
  "9",
);
const joints = fc.constantFrom("-x", "__b", ".c", "_d", "--e", "");
const components = fc.tuple(words, joints).map(([word, joint]) => word + joint);
const repositories = fc
  .array(components, { minLength: 1, maxLength: 6 })
  .map((parts) => parseRepositoryName(parts.join("/")));
const tags = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/).map((text) => text as Tag);
const sessions = fc.uuid();
const accounts = fc.stringMatching(/^robot-[a-z0-9]{1,20}([._-][a-z0-9]{1,8}){0,3}$/);
const offsets = fc.integer({ min: 0, max: 5 * 2 ** 40 });

const keys: fc.Arbitrary<Key> = fc.oneof(
  fc.record({ kind: fc.constant("blobData" as const), digest: digests }),
  fc.record({ kind: fc.constant("layerLink" as const), name: repositories, digest: digests }),
  fc.record({ kind: fc.constant("revisionLink" as const), name: repositories, digest: digests }),
  fc.record({ kind: fc.constant("currentLink" as const), name: repositories, tag: tags }),
  fc.record({
    kind: fc.constant("tagIndexLink" as const),
    name: repositories,
    tag: tags,
    digest: digests,
  }),
  fc.record({ kind: fc.constant("tag" as const), name: repositories, tag: tags }),
  fc.record({ kind: fc.constant("tagged" as const), name: repositories, digest: digests, tag: tags }),
  fc.record({
    kind: fc.constant("referrer" as const),
    name: repositories,
    subject: digests,
    digest: digests,
  }),
  fc.record({
    kind: fc.constant("segment" as const),
    name: repositories,
    session: sessions,
    offset: offsets,
  }),
  fc.record({ kind: fc.constant("proof" as const), name: repositories, session: sessions }),
  fc.record({ kind: fc.constant("catalog" as const), name: repositories }),
  fc.record({ kind: fc.constant("owner" as const), name: repositories, digest: digests }),
  fc.record({ kind: fc.constant("orphan" as const), digest: digests }),
  fc.record({ kind: fc.constant("gcRepository" as const), name: repositories }),
  fc.record({ kind: fc.constant("gcReport" as const), pass: fc.stringMatching(/^[0-9]{13,15}$/) }),
  fc.record({ kind: fc.constant("gcJournal" as const), id: fc.uuid() }),
  fc.record({ kind: fc.constant("pulledTag" as const), name: repositories, tag: tags }),
  fc.record({ kind: fc.constant("pulledDigest" as const), name: repositories, digest: digests }),
  fc.record({ kind: fc.constant("pullsRecorded" as const), name: repositories }),
  fc.record({ kind: fc.constant("untagged" as const), name: repositories, digest: digests }),
  fc.constant({ kind: "gcState" as const }),
  fc.constant({ kind: "adoptState" as const }),
  fc.constant({ kind: "foreignMark" as const }),
  fc.constant({ kind: "guard" as const }),
  fc.constant({ kind: "uploadKey" as const }),
  fc.record({ kind: fc.constant("account" as const), account: accounts }),
  fc.record({ kind: fc.constant("importJob" as const), id: fc.uuid() }),
);

function build(layout: Layout, key: Key): string {
  switch (key.kind) {
    case "blobData":
      return layout.blobData(key.digest);
    case "layerLink":
      return layout.layerLink(key.name, key.digest);
    case "revisionLink":
      return layout.revisionLink(key.name, key.digest);
    case "currentLink":
      return layout.currentLink(key.name, key.tag);
    case "tag":
      return layout.tag(key.name, key.tag);
    case "tagged":
      return layout.tagged(key.name, key.digest, key.tag);
    case "referrer":
      return layout.referrer(key.name, key.subject, key.digest);
    case "segment":
      return layout.segment(key.name, key.session, key.offset);
    case "proof":
      return layout.proof(key.name, key.session);
    case "catalog":
      return layout.catalog(key.name);
    case "owner":
      return layout.owner(key.digest, key.name);
    case "orphan":
      return layout.orphan(key.digest);
    case "gcRepository":
      return layout.gcRepository(key.name);
    case "gcReport":
      return layout.gcReport(key.pass);
    case "gcJournal":
      return layout.gcJournal(key.id);
    case "adoptState":
      return layout.adoptState();
    case "foreignMark":
      return layout.foreignMark();
    case "tagIndexLink":
      return layout.tagIndexLink(key.name, key.tag, key.digest);
    case "pulledTag":
      return layout.pulled(key.name, key.tag);
    case "pulledDigest":
      return layout.pulled(key.name, key.digest);
    case "pullsRecorded":
      return layout.pullsRecorded(key.name);
    case "untagged":
      return layout.untagged(key.name, key.digest);
    case "gcState":
      return layout.gcState();
    case "guard":
      return layout.guard();
    case "uploadKey":
      return layout.uploadKey();
    case "account":
      return layout.account(key.account);
    case "importJob":
      return layout.importJob(key.id);
  }
}

const prefixes = fc.constantFrom("", "registry", "a/b.c/_d");

describe("keys", () => {
  it("are read back as what they were built from", () => {
    fc.assert(
      fc.property(prefixes, keys, (prefix, key) => {
        const layout = new Layout(prefix);
        expect(layout.parse(build(layout, key))).toEqual(key);
      }),
      { numRuns: 2000 },
    );
  });

  it("of different things are different", () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        const layout = new Layout();
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(build(layout, one)).not.toBe(build(layout, other));
      }),
      { numRuns: 2000 },
    );
  });

  it("lie below the prefix, have no empty segment, and are legal for distribution", () => {
    fc.assert(
      fc.property(prefixes, keys, (prefix, key) => {
        const built = build(new Layout(prefix), key);
        expect(
          built.startsWith(prefix === "" ? "docker/registry/v2/" : `${prefix}/docker/registry/v2/`),
        ).toBe(true);
        expect(built).toMatch(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/);
      }),
      { numRuns: 1000 },
    );
  });

  it("fit into R2's 1,024 bytes with the longest names and the longest prefix", () => {
    const name = parseRepositoryName("n".repeat(255));
    const tag = "t".repeat(128) as Tag;
    const digest = digestFrom("sha512", "f".repeat(128));
    const layout = new Layout("p".repeat(maxPrefixLength));
    const longest: Key[] = [
      { kind: "tagged", name, digest, tag },
      { kind: "referrer", name, subject: digest, digest },
      { kind: "owner", name, digest },
      { kind: "segment", name, session: crypto.randomUUID(), offset: 5 * 2 ** 40 },
    ];
    for (const key of longest) expect(build(layout, key).length).toBeLessThanOrEqual(1024);
    expect(tagRecordKey("eventual", name, tag).length).toBeLessThanOrEqual(512);
  });

  it("of foreign or damaged names are nobody's", () => {
    const layout = new Layout("r");
    const digest = "0".repeat(64);
    for (const key of [
      "docker/registry/v2/blobs/x",
      `r/docker/registry/v2/blobs/sha256/11/${digest}/data`,
      `r/docker/registry/v2/repositories/_x/_layers/sha256/${digest}/link`,
      `r/docker/registry/v2/repositories/UPPER/_layers/sha256/${digest}/link`,
      `r/docker/registry/v2/repositories/a/_layers/sha256/${digest.slice(1)}/link`,
      `r/docker/registry/v2/repositories/a/_layers/sha256/${digest}/link.bak`,
      "r/docker/registry/v2/repositories/a/_manifests/tags//current/link",
    ]) {
      expect(layout.parse(key)).toBeUndefined();
    }
  });
});

describe("prefixes of listings", () => {
  const layout = new Layout();
  const repository = (text: string): RepositoryName => parseRepositoryName(text);
  const tag = (text: string): Tag => tryParseTag(text) ?? ("" as Tag);
  const digest = digestFrom("sha256", "a".repeat(64)) as Digest;

  it("keep a repository apart from those whose names begin alike", () => {
    for (const other of ["foo/manifests-x", "foo-x", "foo/x", "foofoo"]) {
      const ours = layout.tags(repository("foo"));
      expect(layout.tag(repository(other), tag("1")).startsWith(ours)).toBe(false);
    }
  });

  it("keep the reverse entries of one digest apart from those of another", () => {
    const other = digestFrom("sha256", `${"a".repeat(63)}b`);
    const ours = layout.taggedWith(repository("foo"), digest);
    expect(layout.tagged(repository("foo"), other, tag("1")).startsWith(ours)).toBe(false);
  });

  it("list tags in ASCII order: 1, 1-alpine, 1.0, 10", () => {
    const listed = ["10", "1.0", "1", "1-alpine"]
      .map((text) => layout.tag(repository("foo"), tag(text)))
      .sort();
    expect(listed.map((key) => layout.parse(key))).toMatchObject([
      { tag: "1" },
      { tag: "1-alpine" },
      { tag: "1.0" },
      { tag: "10" },
    ]);
  });

  it("list the segments of an upload in the order of their offsets", () => {
    const session = crypto.randomUUID();
    const sorted = [0, 9, 10, 100, 8 * 2 ** 20, 5 * 2 ** 40];
    const built = sorted.map((offset) => layout.segment(repository("foo"), session, offset));
    expect([...built].sort()).toEqual(built);
  });
});
