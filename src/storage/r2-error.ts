/** The errors of R2 that Skerry tells apart; the binding gives the code only as "(NNNNN)" in the message. */
const codes = {
  /** The bytes do not have the digest that the put announced. */
  badDigest: 10037,
  /** More than one write a second to one key. */
  tooManyWrites: 10058,
} as const;

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && error.message.includes(`(${code})`);
}

/** Whether R2 refused the bytes because their digest is another one: nothing was stored. */
export function isBadDigest(error: unknown): boolean {
  return hasCode(error, codes.badDigest);
}

/** Whether R2 refused a write because the key was written less than a second ago: nothing was stored. */
export function isTooManyWrites(error: unknown): boolean {
  return hasCode(error, codes.tooManyWrites);
}
