import type { Case } from "./case.ts";
import type { Image, Question } from "./registry-model.ts";

type Ask<Kind> = Kind extends { readonly repository: string } ? Omit<Kind, "repository"> : never;

/** A question to the repository that most cases need alone. */
function app(question: Ask<Question>): Question {
  return { ...question, repository: "app" } as Question;
}

const A: Image = { name: "A", blobs: ["config", "layer A"] };
const B: Image = { name: "B", blobs: ["config", "layer B"] };
const C: Image = { name: "C", blobs: ["config", "layer C"] };
/** Has A as its subject. */
const S: Image = { name: "S", blobs: ["config"], subject: A };
/** An index of A. */
const X: Image = { name: "X", blobs: [], children: [A] };

const put = (image: Image, tag?: string) => app({ ask: "put", image, ...(tag && { tag }) });
const create = (image: Image, tag: string) => app({ ask: "put", image, tag, ifNoneMatch: true });
const replace = (image: Image, tag: string, ifMatch: Image) => app({ ask: "put", image, tag, ifMatch });
const untag = (tag: string) => app({ ask: "delete tag", tag });
const remove = (image: Image) => app({ ask: "delete image", image });
const getTag = (tag: string) => app({ ask: "get tag", tag });
const headTag = (tag: string) => app({ ask: "head tag", tag });
const getImage = (image: Image) => app({ ask: "get image", image });
const commit = (blob: string) => app({ ask: "commit", blob });
const unlink = (blob: string) => app({ ask: "delete blob", blob });
const headBlob = (blob: string) => app({ ask: "head blob", blob });
const mount = (blob: string): Question => ({ repository: "copy", ask: "mount", blob, from: "app" });
/** A repository without any image. */
const fresh = (blob: string): Question => ({ repository: "fresh", ask: "commit", blob });
const firstPut = (tag: string): Question => ({ repository: "fresh", ask: "put", image: A, tag });
const headCopy = (blob: string): Question => ({ repository: "copy", ask: "head blob", blob });

/** Blobs, and an image that nobody touches. */
const empty = [...["config", "layer A", "layer B", "layer C"].map(commit), put(C, "other")];
const tagged = [...empty, put(A, "t")];
const twice = [...tagged, put(A, "u")];
/** t named A, and A was deleted. */
const dead = [...tagged, remove(A)];
/** t named A, and was removed. */
const untagged = [...tagged, untag("t")];

const of = (
  name: string,
  setup: readonly Question[],
  ...clients: readonly (readonly Question[])[]
): Case => ({
  name,
  setup,
  clients,
});

/** Two requests, in every order. */
export const pairs: readonly Case[] = [
  of("PUT t:A / PUT t:B, new tag", empty, [put(A, "t")], [put(B, "t")]),
  of("PUT t:B / PUT t:C", tagged, [put(B, "t")], [put(C, "t")]),
  of("PUT t:A / PUT t:A, new", empty, [put(A, "t")], [put(A, "t")]),
  of("PUT t:A / PUT u:A, new", empty, [put(A, "t")], [put(A, "u")]),
  of("PUT t:A / PUT t:B, removed tag", untagged, [put(A, "t")], [put(B, "t")]),
  of("PUT t:B / DELETE t", tagged, [put(B, "t")], [untag("t")]),
  of("PUT t:A again / DELETE t", tagged, [put(A, "t")], [untag("t")]),
  of("PUT t:B / DELETE A", tagged, [put(B, "t")], [remove(A)]),
  of("PUT t:A again / DELETE A", tagged, [put(A, "t")], [remove(A)]),
  of("PUT u:A / DELETE A", tagged, [put(A, "u")], [remove(A)]),
  of("PUT t:A, dead / DELETE A", dead, [put(A, "t")], [remove(A)]),
  of("PUT A / DELETE A", tagged, [put(A)], [remove(A)]),
  of("DELETE t / DELETE t", tagged, [untag("t")], [untag("t")]),
  of("DELETE A / DELETE A", tagged, [remove(A)], [remove(A)]),
  of("DELETE A, two tags / DELETE t", twice, [remove(A)], [untag("t")]),
  of("create t:A / create t:A", empty, [create(A, "t")], [create(A, "t")]),
  of("create t:A / create t:B", empty, [create(A, "t")], [create(B, "t")]),
  of("create t:B / DELETE t", tagged, [create(B, "t")], [untag("t")]),
  of("create t:B / DELETE A", tagged, [create(B, "t")], [remove(A)]),
  of("create t:A, dead / PUT u:A", dead, [create(A, "t")], [put(A, "u")]),
  of("If-Match A: t:B / If-Match A: t:C", tagged, [replace(B, "t", A)], [replace(C, "t", A)]),
  of("If-Match A: t:B / DELETE A", tagged, [replace(B, "t", A)], [remove(A)]),
  of("If-Match A: t:B / PUT t:C", tagged, [replace(B, "t", A)], [put(C, "t")]),
  of("PUT t:A / DELETE of its layer", empty, [put(A, "t")], [unlink("layer A")]),
  of(
    "PUT t:A / DELETE and commit of its layer",
    empty,
    [put(A, "t")],
    [unlink("layer A"), commit("layer A")],
  ),
  of("commit / commit of one blob", empty, [commit("new")], [commit("new")]),
  of("commit / HEAD of a new blob", empty, [commit("new")], [headBlob("new")]),
  of("commit / DELETE of one blob", empty, [commit("layer A")], [unlink("layer A")]),
  of("DELETE / DELETE of one blob", empty, [unlink("layer A")], [unlink("layer A")]),
  of("mount / DELETE of its source", empty, [mount("layer A")], [unlink("layer A")]),
  of("mount / mount", empty, [mount("layer A")], [mount("layer A")]),
  of("PUT S with subject A / DELETE S", [...tagged, put(S)], [put(S)], [remove(S)]),
  of("PUT S with subject A, new / DELETE A", tagged, [put(S, "s")], [remove(A)]),
  of(
    "first PUT / first PUT of a repository",
    ["config", "layer A"].map(fresh),
    [firstPut("t")],
    [firstPut("u")],
  ),
  of("PUT index X of A / DELETE A", tagged, [put(X, "x")], [remove(A)]),
];

/** Two writers and a reader, or a client of several requests. */
export const readers: readonly Case[] = [
  of("PUT t:B / DELETE t / GET t twice", tagged, [put(B, "t")], [untag("t")], [getTag("t"), getTag("t")]),
  of("PUT t:B / PUT t:C / GET t twice", tagged, [put(B, "t")], [put(C, "t")], [getTag("t"), getTag("t")]),
  of("PUT t:B / DELETE A / HEAD t, GET t", tagged, [put(B, "t")], [remove(A)], [headTag("t"), getTag("t")]),
  of("PUT t:A / DELETE A / GET t", tagged, [put(A, "t")], [remove(A)], [getTag("t")]),
  of("PUT t:A / DELETE A / GET A twice", tagged, [put(A, "t")], [remove(A)], [getImage(A), getImage(A)]),
  {
    ...of("PUT t:B, DELETE A / GET t, no records", tagged, [put(B, "t"), remove(A)], [getTag("t")]),
    recordsLost: true,
  },
  of("DELETE A / GET A, create t:B", tagged, [remove(A)], [getImage(A), create(B, "t"), getTag("t")]),
  of("DELETE t / GET t, create t:B, GET t", tagged, [untag("t")], [getTag("t"), create(B, "t"), getTag("t")]),
  of("DELETE A / GET A, PUT A, GET A", [...empty, put(A)], [remove(A)], [getImage(A), put(A), getImage(A)]),
  of("DELETE A / GET A, PUT t:A, GET A", tagged, [remove(A)], [getImage(A), put(A, "t"), getImage(A)]),
  of("DELETE A / GET t, HEAD t", tagged, [remove(A)], [getTag("t"), headTag("t")]),
  {
    ...of("DELETE A / GET t, HEAD t, no records", tagged, [remove(A)], [getTag("t"), headTag("t")]),
    recordsLost: true,
  },
  of(
    "DELETE layer / HEAD, commit, HEAD",
    empty,
    [unlink("layer A")],
    [headBlob("layer A"), commit("layer A"), headBlob("layer A")],
  ),
  of("DELETE A / DELETE t, PUT t:B", tagged, [remove(A)], [untag("t"), put(B, "t")]),
  of("DELETE A / PUT t:A, DELETE t", tagged, [remove(A)], [put(A, "t"), untag("t")]),
  of("DELETE A, PUT t:A / PUT t:A, GET t", tagged, [remove(A), put(A, "t")], [put(A, "t"), getTag("t")]),
  of(
    "mount / DELETE source / HEAD copy",
    empty,
    [mount("layer A")],
    [unlink("layer A")],
    [headCopy("layer A")],
  ),
  of(
    "commit / DELETE / HEAD twice",
    empty,
    [commit("layer A")],
    [unlink("layer A")],
    [headBlob("layer A"), headBlob("layer A")],
  ),
];

/** Three writers. */
export const triples: readonly Case[] = [
  of("PUT t:A / PUT t:B / DELETE t", tagged, [put(A, "t")], [put(B, "t")], [untag("t")]),
  of("PUT t:A / PUT t:B / DELETE A", tagged, [put(A, "t")], [put(B, "t")], [remove(A)]),
  of("PUT t:A / PUT t:A / DELETE A", tagged, [put(A, "t")], [put(A, "t")], [remove(A)]),
  of("PUT t:A / DELETE A / DELETE A", tagged, [put(A, "t")], [remove(A)], [remove(A)]),
  of("PUT t:B / DELETE t / DELETE A", tagged, [put(B, "t")], [untag("t")], [remove(A)]),
  of("create t:A / create t:B / DELETE t", tagged, [create(A, "t")], [create(B, "t")], [untag("t")]),
  of("PUT t:B / PUT t:C / PUT t:A", tagged, [put(B, "t")], [put(C, "t")], [put(A, "t")]),
];
