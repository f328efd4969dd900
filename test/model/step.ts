import * as fc from "fast-check";
import { blobs, broken, manifests, types } from "./content.ts";

/** A tag, or the digest of a manifest by its place in `manifests`. */
export type Reference = string | { readonly manifest: number; readonly algorithm: "sha256" | "sha512" };

/** `If-Match` or `If-None-Match`: any, or the digest of a manifest. */
export interface Condition {
  readonly header: "If-Match" | "If-None-Match";
  readonly manifest: number | "*";
}

/** One request, as data: what shrinks well and prints itself. */
export type Step =
  | {
      readonly kind: "push blob";
      readonly repository: string;
      readonly blob: number;
      readonly algorithm: "sha256" | "sha512";
      readonly how: "PUT" | "POST" | "PATCH" | "wrong digest";
    }
  | { readonly kind: "blob"; readonly method: string; readonly repository: string; readonly blob: number }
  | {
      readonly kind: "mount";
      readonly repository: string;
      readonly from: string | undefined;
      readonly blob: number;
    }
  | {
      readonly kind: "push manifest";
      readonly repository: string;
      readonly manifest: number;
      readonly by: string | "sha256" | "sha512" | "wrong digest";
      readonly tags: readonly string[];
      readonly contentType: "its own" | "none" | "another";
      readonly condition: Condition | undefined;
    }
  | { readonly kind: "push broken"; readonly repository: string; readonly body: number; readonly tag: string }
  | {
      readonly kind: "pull";
      readonly method: "GET" | "HEAD";
      readonly repository: string;
      readonly reference: Reference;
      readonly accept: string | undefined;
      readonly ifNoneMatch: number | "*" | undefined;
    }
  | {
      readonly kind: "delete";
      readonly repository: string;
      readonly reference: Reference;
      readonly condition: Condition | undefined;
    }
  | {
      readonly kind: "tags";
      readonly repository: string;
      readonly n: string | undefined;
      readonly last: string | undefined;
    }
  | { readonly kind: "catalog"; readonly n: string | undefined; readonly last: string | undefined }
  | {
      readonly kind: "referrers";
      readonly repository: string;
      readonly subject: number;
      readonly artifactType: string | undefined;
    }
  | { readonly kind: "invalid"; readonly request: string; readonly status: number; readonly code: string };

/** Accept headers, with what each takes: written down, not computed. */
export const accepts: Readonly<Record<string, readonly string[]>> = {
  "*/*": Object.values(types),
  "application/*;q=0.1": Object.values(types),
  [types.ociManifest]: [types.ociManifest],
  [`${types.ociIndex}, ${types.ociManifest};q=0`]: [types.ociIndex],
  [types.dockerManifest]: [types.dockerManifest],
  [`${types.dockerManifest}, ${types.ociManifest}`]: [types.dockerManifest, types.ociManifest],
  [`${types.dockerList}, ${types.dockerManifest}`]: [types.dockerList, types.dockerManifest],
  "text/html": [],
};

const wrong = `sha256:${"x".repeat(64)}`;
const invalid: readonly (readonly [request: string, status: number, code: string])[] = [
  ["GET /v2/App/tags/list", 400, "NAME_INVALID"],
  ["POST /v2/a%2Fb/blobs/uploads/", 400, "NAME_INVALID"],
  ["GET /v2/app/manifests/-", 404, "MANIFEST_UNKNOWN"],
  ["PUT /v2/app/manifests/-", 400, "MANIFEST_INVALID"],
  ["DELETE /v2/app/manifests/-", 404, "MANIFEST_UNKNOWN"],
  [`GET /v2/app/manifests/${wrong}`, 400, "DIGEST_INVALID"],
  [`DELETE /v2/app/manifests/${wrong}`, 400, "DIGEST_INVALID"],
  [`GET /v2/app/blobs/${wrong}`, 400, "DIGEST_INVALID"],
  [`GET /v2/app/referrers/${wrong}`, 400, "DIGEST_INVALID"],
  ["PATCH /v2/app/manifests/1", 405, "UNSUPPORTED"],
  ["GET /v2/app/nothing", 404, "UNSUPPORTED"],
];

const repository = fc.oneof({ arbitrary: fc.constant("app"), weight: 6 }, fc.constantFrom("app-x", "app/b"));
const tag = fc.constantFrom("1", "1-a", "B");
const manifest = fc.nat({ max: manifests.length - 1 });
const blob = fc.nat({ max: blobs.length - 1 });
const algorithm = fc.constantFrom("sha256", "sha256", "sha256", "sha512");
const reference: fc.Arbitrary<Reference> = fc.oneof(
  { arbitrary: tag, weight: 2 },
  { arbitrary: fc.record({ manifest, algorithm }), weight: 3 },
);
/** Absent once in `freq` times. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq: number) => fc.option(arbitrary, { nil: undefined, freq });
const subjects = manifests.flatMap((_, index) =>
  manifests.some(({ subject }) => subject === manifests[index]?.sha256) ? [index] : [],
);
const condition = maybe(
  fc.record({
    header: fc.constantFrom("If-Match", "If-None-Match"),
    manifest: fc.oneof(manifest, fc.constant("*" as const)),
  }),
  2,
);
const n = maybe(fc.constantFrom("0", "1", "2", "100", "-1", "x"), 2);
const last = maybe(fc.oneof(tag, repository, fc.constantFrom("", "0", "1-", "app-", "zzz")), 2);

const pushBlob = fc.record({
  kind: fc.constant("push blob"),
  repository,
  blob,
  algorithm,
  how: fc.constantFrom("PUT", "POST", "PATCH", "wrong digest"),
});

const pushManifest = fc.record({
  kind: fc.constant("push manifest"),
  repository,
  manifest,
  by: fc.oneof({ arbitrary: tag, weight: 3 }, fc.constantFrom("sha256", "sha512", "wrong digest")),
  tags: fc.array(tag, { maxLength: 2 }),
  contentType: fc.constantFrom("its own", "its own", "its own", "none", "another"),
  condition,
});

/** Any one request. */
const single: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: pushBlob, weight: 2 },
  { arbitrary: pushManifest, weight: 4 },
  fc.record({
    kind: fc.constant("blob"),
    method: fc.constantFrom("GET", "HEAD", "DELETE"),
    repository,
    blob,
  }),
  fc.record({ kind: fc.constant("mount"), repository, from: maybe(repository, 3), blob }),
  fc.record({ kind: fc.constant("push broken"), repository, body: fc.nat({ max: broken.length - 1 }), tag }),
  {
    arbitrary: fc.record({
      kind: fc.constant("pull"),
      method: fc.constantFrom("GET", "HEAD"),
      repository,
      reference,
      accept: maybe(fc.constantFrom(...Object.keys(accepts)), 2),
      ifNoneMatch: maybe(fc.oneof(manifest, fc.constant("*" as const)), 3),
    }),
    weight: 8,
  },
  { arbitrary: fc.record({ kind: fc.constant("delete"), repository, reference, condition }), weight: 3 },
  fc.record({ kind: fc.constant("tags"), repository, n, last }),
  fc.record({ kind: fc.constant("catalog"), n, last }),
  {
    arbitrary: fc.record({
      kind: fc.constant("referrers"),
      repository,
      subject: fc.oneof({ arbitrary: fc.constantFrom(...subjects), weight: 4 }, manifest),
      artifactType: maybe(fc.constantFrom("application/x.signature", "application/x.other"), 2),
    }),
    weight: 3,
  },
  fc
    .constantFrom(...invalid)
    .map(([request, status, code]): Step => ({ kind: "invalid", request, status, code })),
);

/** A manifest with everything that it refers to, under a tag: without this little would ever be there. */
const whole: fc.Arbitrary<Step[]> = fc.record({ repository, manifest, tag }).map((given) => pushAll(given));

function pushAll(given: {
  readonly repository: string;
  readonly manifest: number;
  readonly tag: string;
}): Step[] {
  const content = manifests[given.manifest];
  const of = { repository: given.repository };
  const blobSteps = (content?.blobs ?? []).map((digest): Step => {
    const index = blobs.findIndex(({ sha256 }) => sha256 === digest);
    return { kind: "push blob", ...of, blob: index, algorithm: "sha256", how: "PUT" };
  });
  const childSteps = (content?.children ?? []).flatMap((digest) =>
    pushAll({ ...given, manifest: manifests.findIndex(({ sha256 }) => sha256 === digest) }),
  );
  const push: Step = {
    kind: "push manifest",
    ...of,
    manifest: given.manifest,
    by: given.tag,
    tags: [],
    contentType: "its own",
    condition: undefined,
  };
  return [...blobSteps, ...childSteps, push];
}

/** A sequence of requests to one registry: it is filled first, since requests to an empty one soon say nothing new. */
export const steps: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(whole, { minLength: 2, maxLength: 6, size: "max" }),
    fc.array(
      fc.oneof({ arbitrary: single.map((step) => [step]), weight: 20 }, { arbitrary: whole, weight: 1 }),
      {
        minLength: 1,
        maxLength: 40,
        size: "max",
      },
    ),
  )
  .map(([before, after]) => [...before, ...after].flat());
