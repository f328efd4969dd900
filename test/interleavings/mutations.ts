import { Layout } from "../../src/storage/layout.ts";
import type { StoredObject } from "../doubles/r2-object.ts";
import type { Ports } from "./execution.ts";
import { type Kind, kindOf, type Put, storedBy, tamper } from "./tamper.ts";

/** A step of docs/protocols.md left out or done wrongly, from outside the application. */
export interface Mutation {
  readonly name: string;
  readonly wrap: (ports: Ports) => Ports;
  /** The case that must find it. */
  readonly caughtBy: string;
  /** What that case must complain of, among other things. */
  readonly complaint: string;
  /** Whether every life of an image has the same generation, in the setup too. */
  readonly sameGenerations?: true;
  /** Whether a request has to die for it. */
  readonly needsCrash?: true;
}

const isTombstone = ({ kind, value, options }: Put) =>
  options.customMetadata?.tombstone !== undefined ||
  (kind === "tag" && typeof value === "string" && value.includes('"state":"tombstone"'));

/** Puts of that kind have no condition. */
function unconditional(kind: Kind, which: (put: Put) => boolean = () => true) {
  return tamper(() => ({
    put(put, next) {
      if (put.kind !== kind || !which(put)) return next(put);
      const { onlyIf: _, ...options } = put.options;
      return next({ ...put, options });
    },
  }));
}

/** Puts of that kind are not done. */
function without(kind: Kind) {
  return tamper(() => ({ put: (put, next) => (put.kind === kind ? Promise.resolve(null) : next(put)) }));
}

/** Puts of the one kind are done only after the first put of the other. */
function late(kind: Kind, until: Kind) {
  return tamper(() => {
    const held: (() => Promise<unknown>)[] = [];
    return {
      async put(put, next) {
        if (put.kind === kind) {
          held.push(() => next(put));
          return null;
        }
        const answer = await next(put);
        if (put.kind === until) for (const go of held.splice(0)) await go();
        return answer;
      },
    };
  });
}

/** What the actor has put at that kind of key is what it goes on seeing there: it never looks again. */
function neverLooksAgain(kind: Kind, which: (put: Put) => boolean) {
  return tamper(() => {
    const own = new Map<string, StoredObject>();
    return {
      async put(put, next) {
        const answer = await next(put);
        if (put.kind === kind && answer !== null && which(put)) own.set(put.key, storedBy(put, answer));
        return answer;
      },
      read: async ({ key }, next) => own.get(key) ?? next(),
    };
  });
}

/** After a tombstone was put, the key is deleted, as if tombstones were a nuisance. */
function deletesAfterTombstone(kind: Kind) {
  return tamper((bucket) => ({
    async put(put, next) {
      const answer = await next(put);
      if (put.kind === kind && answer !== null && isTombstone(put)) await bucket.delete(put.key);
      return answer;
    },
  }));
}

/** Where `crypto.randomUUID` always gives the same: tag registers are still told apart, lives of images are not. */
const noGeneration = tamper(() => ({
  put(put, next) {
    if (put.kind !== "tag" || typeof put.value !== "string") return next(put);
    const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
    return next({ ...put, value: JSON.stringify({ ...(JSON.parse(put.value) as object), nonce }) });
  },
}));

/** A tag that names the digest is taken to name its present life. */
const comparesDigestsOnly = tamper(() => {
  const live = new Map<string, string>();
  return {
    async read({ kind, key }, next) {
      const stored = await next();
      if (stored === null) return null;
      const { generation } = stored.customMetadata;
      if (kind === "revisionLink" && generation !== undefined) live.set(digestIn(key), generation);
      if (kind !== "tag") return stored;
      const body = JSON.parse(new TextDecoder().decode(stored.bytes)) as { readonly digest?: string };
      const present = live.get(body.digest ?? "");
      if (present === undefined) return stored;
      const bytes = new TextEncoder().encode(JSON.stringify({ ...body, generation: present }));
      return { ...stored, bytes: new Uint8Array(bytes) };
    },
  };
});

/** An untag that finds a tombstone leaves the projections alone. */
const leavesProjections = tamper(() => {
  let found: boolean | undefined;
  return {
    async read({ kind }, next) {
      const stored = await next();
      if (kind === "tag") found ??= stored?.customMetadata.state === "tombstone";
      return stored;
    },
    delete: (keys, next) =>
      found && keys.some((key) => kindOf(key) === "currentLink") ? Promise.resolve() : next(),
  };
});

function digestIn(key: string): string {
  const parsed = new Layout().parse(key);
  return parsed !== undefined && "digest" in parsed ? parsed.digest : "";
}

const wholeOrder = "no order of the requests explains the registry as a whole";
const ofTag = "no order of the requests explains tag app:t";

export const mutations: readonly Mutation[] = [
  {
    name: "a tag is set without a condition",
    wrap: unconditional("tag"),
    caughtBy: "create t:A / create t:B",
    complaint: ofTag,
  },
  {
    name: "a revision is revived without a condition",
    wrap: unconditional("revisionLink", (put) => !isTombstone(put)),
    caughtBy: "PUT t:A / PUT u:A, new",
    complaint: "names a life of A that is over",
  },
  {
    name: "a layer link is buried without a condition",
    wrap: unconditional("layerLink"),
    caughtBy: "DELETE / DELETE of one blob",
    complaint: wholeOrder,
  },
  {
    name: "a tag is deleted after its tombstone",
    wrap: deletesAfterTombstone("tag"),
    caughtBy: "create t:B / DELETE t",
    complaint: ofTag,
  },
  {
    name: "a revision is deleted after its tombstone",
    wrap: deletesAfterTombstone("revisionLink"),
    caughtBy: "DELETE A / GET A, PUT A, GET A",
    complaint: "no order of the requests explains image app@A",
  },
  {
    name: "a layer link is deleted after its tombstone",
    wrap: deletesAfterTombstone("layerLink"),
    caughtBy: "DELETE layer / HEAD, commit, HEAD",
    complaint: 'no order of the requests explains blob app "layer A"',
  },
  {
    name: "no reverse entry",
    wrap: without("tagged"),
    caughtBy: "PUT u:A / DELETE A",
    complaint: "tag app:u names a life of A that is over",
  },
  {
    name: "the reverse entry comes after the swap",
    wrap: late("tagged", "tag"),
    caughtBy: "PUT t:B / DELETE A",
    complaint: "tag t names B, which does not know of it",
    needsCrash: true,
  },
  {
    name: "no projection",
    wrap: without("currentLink"),
    caughtBy: "PUT t:B / DELETE t",
    complaint: "current/link of app:t says nothing, not B",
  },
  {
    name: "no second look at the register after a projection",
    wrap: neverLooksAgain("tag", () => true),
    caughtBy: "PUT t:B / PUT t:C",
    complaint: "current/link of app:t says C, not B",
  },
  {
    name: "an untag that meets a tombstone does not project",
    wrap: leavesProjections,
    caughtBy: "DELETE t / DELETE t",
    complaint: "current/link of app:t says A, not nothing",
    needsCrash: true,
  },
  {
    name: "no generation",
    wrap: noGeneration,
    caughtBy: "PUT t:A again / DELETE A",
    complaint: wholeOrder,
    sameGenerations: true,
  },
  {
    name: '"already there" compares the digest alone',
    wrap: comparesDigestsOnly,
    caughtBy: "PUT t:A again / DELETE A",
    complaint: wholeOrder,
  },
  {
    name: "DELETE does not look at the live generation",
    wrap: neverLooksAgain("revisionLink", isTombstone),
    caughtBy: "PUT t:A again / DELETE A",
    complaint: wholeOrder,
  },
  {
    name: "PUT does not look at the revision again",
    wrap: neverLooksAgain("revisionLink", (put) => !isTombstone(put)),
    caughtBy: "PUT t:A, dead / DELETE A",
    complaint: "names a life of A that is over",
  },
  {
    name: "no owner",
    wrap: without("owner"),
    caughtBy: "commit / HEAD of a new blob",
    complaint: "layerLink of new in app has no owner",
  },
  {
    name: "a commit writes the owner after the link",
    wrap: late("owner", "layerLink"),
    caughtBy: "commit / HEAD of a new blob",
    complaint: "layerLink of new in app has no owner",
    needsCrash: true,
  },
  {
    name: "a commit writes the data after the link",
    wrap: late("blobData", "layerLink"),
    caughtBy: "commit / HEAD of a new blob",
    complaint: "layerLink of new in app leads to no data",
    needsCrash: true,
  },
  {
    name: "a PUT writes the owner after the revision",
    wrap: late("owner", "revisionLink"),
    caughtBy: "PUT t:A / PUT t:B, new tag",
    complaint: "revisionLink of A in app has no owner",
    needsCrash: true,
  },
  {
    name: "a PUT writes the data after the revision",
    wrap: late("blobData", "revisionLink"),
    caughtBy: "PUT t:A / PUT t:B, new tag",
    complaint: "revisionLink of A in app leads to no data",
    needsCrash: true,
  },
  {
    name: "no catalog entry",
    wrap: without("catalog"),
    caughtBy: "first PUT / first PUT of a repository",
    complaint: "fresh is not in the catalog",
  },
  {
    name: "no referrer entry",
    wrap: without("referrer"),
    caughtBy: "PUT S with subject A, new / DELETE A",
    complaint: "S is missing among the referrers of its subject",
  },
];

/** What the runs of the named cases show to be needless: a DELETE may take effect at any time while it runs. */
export const needless: readonly Pick<Mutation, "name" | "wrap">[] = [
  {
    name: "a revision is buried without a condition",
    wrap: unconditional("revisionLink", isTombstone),
  },
];
