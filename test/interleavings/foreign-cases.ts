import type { Case } from "./case.ts";
import type { Ports } from "./execution.ts";
import type { Image, Question } from "./registry-model.ts";
import { tamper } from "./tamper.ts";

type Put = Extract<Question, { readonly ask: "put" }>;
type DeleteTag = Extract<Question, { readonly ask: "delete tag" | "get tag" | "head tag" }>;
type DeleteImage = Extract<Question, { readonly ask: "delete image" | "get image" }>;

/** What a client asks of distribution, which has the same bucket. */
export type ForeignQuestion =
  | (Put & { readonly tag: string })
  | (DeleteTag & { readonly ask: "delete tag" })
  | (DeleteImage & { readonly ask: "delete image"; readonly tags?: readonly string[] });

/** Requests to Skerry beside one to distribution, of which the bucket then sends events. */
export interface ForeignCase extends Case {
  readonly foreign: ForeignQuestion;
}

const repository = "app";
const A: Image = { name: "A", blobs: ["config", "layer A"] };
const B: Image = { name: "B", blobs: ["config", "layer B"] };
const C: Image = { name: "C", blobs: ["config", "layer C"] };

const put = (image: Image, tag: string): Put & { readonly tag: string } => ({
  repository,
  ask: "put",
  image,
  tag,
});
const untag = (tag: string) => ({ repository, ask: "delete tag", tag }) as const;
const remove = (image: Image, ...tags: readonly string[]) =>
  ({ repository, ask: "delete image", image, tags }) as const;

const empty: readonly Question[] = [
  ...["config", "layer A", "layer B", "layer C"].map(
    (blob): Question => ({ repository, ask: "commit", blob }),
  ),
  put(C, "other"),
];
const tagged: readonly Question[] = [...empty, put(A, "t")];
const removed: readonly Question[] = [...tagged, untag("t")];

const of = (
  name: string,
  setup: readonly Question[],
  foreign: ForeignQuestion,
  ...clients: readonly (readonly Question[])[]
): ForeignCase => ({ name: `${name}, and its events`, setup, clients, foreign });

export const foreign: readonly ForeignCase[] = [
  of("PUT t:A / distribution t:B, new tag", empty, put(B, "t"), [put(A, "t")]),
  of("PUT t:C / distribution t:B", tagged, put(B, "t"), [put(C, "t")]),
  of("PUT t:A again / distribution t:B", tagged, put(B, "t"), [put(A, "t")]),
  of("PUT t:A / distribution t:B, removed tag", removed, put(B, "t"), [put(A, "t")]),
  of("DELETE t / distribution t:B", tagged, put(B, "t"), [untag("t")]),
  of("DELETE B / distribution t:B", tagged, put(B, "t"), [remove(B)]),
  of("DELETE A / distribution t:A again", tagged, put(A, "t"), [remove(A)]),
  of("PUT t:B / distribution u:A again", tagged, put(A, "u"), [put(B, "t")]),
  of("PUT t:B / distribution removes t", tagged, untag("t"), [put(B, "t")]),
  of("PUT u:A / distribution removes A", tagged, remove(A, "t"), [put(A, "u")]),
];

/** A step of docs/protocols.md "Foreign writes" left out or done wrongly. */
export interface ForeignMutation {
  readonly name: string;
  readonly wrap: (ports: Ports) => Ports;
  readonly caughtBy: string;
  readonly complaint: string;
}

export const foreignMutations: readonly ForeignMutation[] = [
  {
    name: "a PUT of what the tag already has does not look whether distribution has written since",
    wrap: tamper(() => ({
      read: async ({ kind }, next) => (kind === "currentLink" ? null : next()),
    })),
    caughtBy: "PUT t:A again / distribution t:B, and its events",
    complaint: "a write of Skerry's, the last one of the tag, is lost",
  },
  {
    name: "distribution's writes are followed whenever they were made",
    wrap: tamper(() => ({
      read: async ({ kind }, next) => {
        const stored = await next();
        const isEntry = kind === "tagIndexLink" && stored !== null;
        return isEntry ? { ...stored, uploaded: stored.uploaded + 60_000 } : stored;
      },
    })),
    caughtBy: "PUT t:C / distribution t:B, and its events",
    complaint: "a write of Skerry's, the last one of the tag, is lost",
  },
  {
    name: "distribution's writes are never followed",
    wrap: tamper(() => ({
      read: async ({ kind }, next) => (kind === "tagIndexLink" ? null : next()),
    })),
    caughtBy: "PUT t:C / distribution t:B, and its events",
    complaint: "a write of distribution's, the last one of the tag, is lost",
  },
];
