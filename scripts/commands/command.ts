/** A subcommand of `npm run skerry`. */
export interface Command {
  readonly usage: string;
  /** @throws Error whose message is for the user. */
  run(args: readonly string[]): Promise<void>;
}
