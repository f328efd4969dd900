/** What is wrong with a command, or undefined. */
export type Complaint = string | undefined;

/** Looks at the words of a command, the program first. */
export type Check = (words: readonly string[]) => Complaint | Promise<Complaint>;

/** The first complaint of several. */
export async function firstOf(checks: Iterable<Complaint | Promise<Complaint>>): Promise<Complaint> {
  for (const check of checks) {
    const complaint = await check;
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

/** The names of the options among the words: `--all` of `--all=true`, `-u`. */
export function optionsOf(words: readonly string[]): readonly string[] {
  return words.filter((word) => /^--?[a-zA-Z]/.test(word)).map((word) => word.replace(/=.*$/s, ""));
}
