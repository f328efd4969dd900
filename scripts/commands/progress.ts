/** Milliseconds between two lines: on a terminal they replace one another. */
const every = process.stderr.isTTY ? 200 : 10_000;

/** A line on the standard error output that tells how far something is. */
export class Progress {
  #last = Date.now();

  /** Writes the line unless the last one is too young. */
  show(line: string): void {
    const now = Date.now();
    if (now - this.#last < every) return;
    this.#last = now;
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${line}` : `${line}\n`);
  }

  /** Takes the line off a terminal. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  }
}
