import type { Entry } from "./execution.ts";
import type { Answer, Question } from "./registry-model.ts";

type Given = Entry<Question, Answer>;

/**
 * Marks the answers in which Skerry may differ from a registry that does one request at a time, all of them
 * between requests that overlap (docs/protocols.md):
 * - a DELETE of an image may answer 202 where 404 was due, if it overlapped another write of that image, or came
 *   after one that died: it finished the other one's work, or removed what the other one then put again;
 * - a PUT that is refused with 412 may leave its image behind, untagged, if another writer of the tag was faster
 *   after the condition had held;
 * - while a DELETE of an image is under way, reads of a tag that names it may or may not still show it, in any
 *   order: a read of a tag costs one operation and does not look at the image. This is what the additional
 *   entries stand for, each the beginning of such a DELETE.
 */
export function leniently(history: readonly Given[]): readonly Given[] {
  const beginnings = history
    .filter(({ question, answer }) => question.ask === "delete image" && answer?.status === 202)
    .map((entry): Given => ({ ...entry, answer: { status: begins } }));
  return [...beginnings, ...history.map((entry) => lenient(entry, history))];
}

/** The "status" of an additional entry. */
export const begins = 100;

function lenient(entry: Given, history: readonly Given[]): Given {
  const { answer } = entry;
  if (answer === undefined || !mayDiffer(entry)) return entry;
  const isBeside = history.some((other) => other !== entry && isWrite(other, entry) && overlap(other, entry));
  return isBeside ? { ...entry, answer: { ...answer, lenient: true } } : entry;
}

function mayDiffer({ question, answer }: Given): boolean {
  if (question.ask === "delete image") return answer?.status === 202;
  return question.ask === "put" && answer?.status === 412;
}

function isWrite({ question }: Given, entry: Given): boolean {
  const isOfImage =
    (question.ask === "put" || question.ask === "delete image") &&
    "image" in entry.question &&
    question.image.name === entry.question.image.name;
  if (entry.question.ask !== "put") return isOfImage;
  return question.ask === "put" || question.ask === "delete tag" || question.ask === "delete image";
}

/** Whether the two ran beside each other; one that died runs on for ever. */
function overlap(a: Given, b: Given): boolean {
  const end = ({ returned, answer }: Given) =>
    returned === undefined || (answer !== undefined && answer.status >= 500)
      ? Number.POSITIVE_INFINITY
      : returned;
  return a.invoked < end(b) && b.invoked < end(a);
}
