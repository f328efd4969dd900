import { Distribution } from "../support/distribution.ts";
import { app, type CheckWorld, currentLink, layout, register, tagged, type Vandal } from "./check-world.ts";

/** Damage, and what a check must say of it. */
export interface Damage {
  readonly what: string;
  readonly harm: (vandal: Vandal, world: CheckWorld) => Promise<unknown>;
  readonly finds: (world: CheckWorld, repair: boolean) => readonly object[];
  /** False where only a person can mend it. */
  readonly isRepaired: boolean;
}

/** Bytes that no digest in the bucket has. */
const nothing = `sha256:${"0".repeat(64)}`;

export const damages: readonly Damage[] = [
  {
    what: "a tag whose manifest was deleted by a request that died",
    harm: (vandal, { image }) =>
      vandal.write(layout.revisionLink(app, image.digest), nothing, { tombstone: "1" }),
    finds: ({ image, index }) => [
      {
        kind: "missing reference",
        name: "app",
        digest: index.digest,
        reference: image.digest,
        repaired: false,
      },
      { kind: "dead tag", name: "app", tag: "a", digest: image.digest },
      { kind: "dead tag", name: "app", tag: "a2", digest: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a tag of an earlier life of its manifest",
    harm: (vandal, { index }) =>
      vandal.relabel(layout.revisionLink(app, index.digest), (metadata) => ({
        ...metadata,
        generation: "new",
      })),
    finds: ({ index }) => [{ kind: "dead tag", name: "app", tag: "x", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a tag whose manifest is not there at all",
    harm: (vandal, { index }) => vandal.remove(layout.revisionLink(app, index.digest)),
    finds: ({ index }) => [{ kind: "dead tag", name: "app", tag: "x", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a tag without a reverse entry",
    harm: (vandal, { image }) => vandal.remove(tagged(image.digest, "a2")),
    finds: ({ image }) => [{ kind: "missing reverse entry", name: "app", tag: "a2", digest: image.digest }],
    isRepaired: true,
  },
  {
    what: "a tag link that is missing",
    harm: (vandal) => vandal.remove(currentLink("a")),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a tag link that names another manifest",
    harm: (vandal, { index }) => vandal.write(currentLink("a"), index.digest),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a tag link of a tag that was removed",
    harm: (vandal, { image }) => vandal.write(currentLink("gone"), image.digest),
    finds: () => [{ kind: "stale projection", name: "app", tag: "gone", where: "current/link" }],
    isRepaired: true,
  },
  {
    what: "a record in KV that names another manifest",
    harm: (vandal, { index }) =>
      vandal.writeRecord("a", { digest: index.digest, mediaType: "x", size: 1, generation: "", at: 0 }),
    finds: () => [{ kind: "stale projection", name: "app", tag: "a", where: "KV record" }],
    isRepaired: true,
  },
  {
    what: "a record in KV of a tag that was removed",
    harm: (vandal, { image }) =>
      vandal.writeRecord("gone", { digest: image.digest, mediaType: "x", size: 1, generation: "", at: 0 }),
    finds: () => [{ kind: "stale projection", name: "app", tag: "gone", where: "KV record" }],
    isRepaired: true,
  },
  {
    what: "a register that is no JSON",
    harm: (vandal) => vandal.relabel(register("a"), () => ({})).then(() => vandal.write(register("a"), "{")),
    finds: () => [{ kind: "damaged tag", name: "app", tag: "a" }],
    isRepaired: false,
  },
  {
    what: "a register that contradicts its metadata",
    harm: (vandal, { index }) =>
      vandal.relabel(register("a"), (metadata) => ({ ...metadata, digest: index.digest })),
    finds: () => [{ kind: "damaged tag", name: "app", tag: "a" }],
    isRepaired: false,
  },
  {
    what: "a layer whose data is gone",
    harm: (vandal, { layer }) => vandal.remove(layout.blobData(layer.digest)),
    finds: ({ image, layer }, repair) => {
      const link = { kind: "link without data", name: "app", digest: layer.digest };
      const reference = {
        kind: "missing reference",
        name: "app",
        digest: image.digest,
        reference: layer.digest,
        repaired: false,
      };
      return repair ? [link, reference] : [link];
    },
    isRepaired: true,
  },
  {
    what: "a manifest whose data is gone",
    harm: (vandal, { index }) => vandal.remove(layout.blobData(index.digest)),
    finds: ({ index }) => [{ kind: "manifest without data", name: "app", digest: index.digest }],
    isRepaired: false,
  },
  {
    what: "a manifest whose data is none",
    harm: (vandal, { index }) => vandal.write(layout.blobData(index.digest), "no manifest"),
    finds: ({ index }) => [{ kind: "not a manifest", name: "app", digest: index.digest }],
    isRepaired: false,
  },
  {
    what: "a layer that nobody claims",
    harm: (vandal, { layer }) => vandal.remove(layout.owner(layer.digest, app)),
    finds: ({ layer }) => [{ kind: "missing claim", name: "app", digest: layer.digest }],
    isRepaired: true,
  },
  {
    what: "a manifest that nobody claims",
    harm: (vandal, { index }) => vandal.remove(layout.owner(index.digest, app)),
    finds: ({ index }) => [{ kind: "missing claim", name: "app", digest: index.digest }],
    isRepaired: true,
  },
  {
    what: "a repository that is not in the catalog",
    harm: (vandal) => vandal.remove(layout.catalog(app)),
    finds: () => [{ kind: "missing catalog entry", name: "app" }],
    isRepaired: true,
  },
  {
    what: "a layer that a manifest needs and the repository does not have",
    harm: (vandal, { layer }) => vandal.remove(layout.layerLink(app, layer.digest)),
    finds: ({ image, layer }) => [
      { kind: "missing reference", name: "app", digest: image.digest, reference: layer.digest },
    ],
    isRepaired: false,
  },
  {
    what: "a referrer that is not listed",
    harm: (vandal, { image, referrer }) => vandal.remove(layout.referrer(app, image.digest, referrer.digest)),
    finds: ({ image, referrer }) => [
      { kind: "missing referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a referrer that is listed in an earlier life",
    harm: (vandal, { image, referrer }) =>
      vandal.relabel(layout.referrer(app, image.digest, referrer.digest), (metadata) => ({
        ...metadata,
        generation: "old",
      })),
    finds: ({ image, referrer }) => [
      { kind: "missing referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a referrer that is listed and gone",
    harm: (vandal, { referrer }) =>
      vandal.write(layout.revisionLink(app, referrer.digest), nothing, { tombstone: "1" }),
    finds: ({ image, referrer }) => [
      { kind: "dead referrer", name: "app", digest: referrer.digest, subject: image.digest },
    ],
    isRepaired: true,
  },
  {
    what: "a link that is no digest",
    harm: (vandal, { layer }) => vandal.write(layout.layerLink(app, layer.digest), "garbage"),
    finds: ({ image, layer }) => [
      { kind: "unreadable", key: layout.layerLink(app, layer.digest) },
      { kind: "missing reference", name: "app", digest: image.digest, reference: layer.digest },
    ],
    isRepaired: false,
  },
  {
    what: "a stray key",
    harm: (vandal) => vandal.write(`${layout.repositories()}app/_skerry/whatever`, "x"),
    finds: () => [{ kind: "stray key", key: `${layout.repositories()}app/_skerry/whatever` }],
    isRepaired: false,
  },
  {
    what: "tags and links that distribution wrote",
    harm: (_, { world }) =>
      new Distribution(world.r2.actor("distribution")).image("app", ["d1", "d2"], "distribution's"),
    finds: () => [{ kind: "not adopted", name: "app", links: 3, tags: 2 }],
    isRepaired: false,
  },
];
