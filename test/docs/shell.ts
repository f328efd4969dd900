/** A simple command of a script. */
export interface ShellCommand {
  /** Line of the script, from 0. */
  readonly line: number;
  /** Program and arguments, without quotes; variables and substitutions stay as they are written. */
  readonly words: readonly string[];
}

/** What may stand before a command in its place. */
const keywords = new Set(["if", "then", "else", "do", "while", "until", "!", "{"]);
/** Commands that begin or end a construct, and do nothing themselves. */
const constructs = new Set(["for", "done", "fi", "}", ""]);

/**
 * The simple commands of a shell script, those in substitutions too. Redirections, assignments, comments and
 * keywords are left out. It reads what documentation needs, not all that a shell takes: no here-documents, no `case`.
 * @throws Error for a quote or a substitution that is not closed.
 */
export function commandsOf(script: string): readonly ShellCommand[] {
  return new Reader(script.replaceAll("\\\n", "  ")).read();
}

class Reader {
  readonly #script: string;
  #at = 0;
  #line = 0;
  readonly #commands: ShellCommand[] = [];

  constructor(script: string, line = 0) {
    this.#script = script;
    this.#line = line;
  }

  read(): readonly ShellCommand[] {
    let words: string[] = [];
    let line = this.#line;
    const end = () => {
      const command = withoutPrefixes(words);
      if (!constructs.has(command[0] ?? "")) this.#commands.push({ line, words: command });
      words = [];
    };
    while (this.#at < this.#script.length) {
      if (this.#take(/[ \t]+/y)) continue;
      if (this.#take(/#[^\n]*/y)) continue;
      if (this.#take(/\d?(?:<<<|>>|>|<)(?:&\d)?\s*/y)) {
        this.#word();
      } else if (this.#take(/&&|\|\||[|;&\n]|[()]/y)) {
        end();
      } else {
        if (words.length === 0) line = this.#line;
        words.push(this.#word());
      }
    }
    end();
    return this.#commands;
  }

  /** Steps over what matches here, and counts lines. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#script)?.[0];
    if (found === undefined || found === "") return undefined;
    this.#at += found.length;
    this.#line += found.split("\n").length - 1;
    return found;
  }

  #word(): string {
    let word = "";
    for (;;) {
      const plain = this.#take(/[^\s'"$\\|;&()<>]+/y) ?? this.#variable() ?? this.#quoted();
      if (plain === undefined) {
        if (word !== "" || this.#at >= this.#script.length) return word;
        return this.#take(/[\s\S]/y) ?? "";
      }
      word += plain;
    }
  }

  #variable(): string | undefined {
    if (this.#take(/\$\(/y) !== undefined) return this.#substitution();
    return this.#take(/\$(?:\{[^}]*\}+\}?|\w+|[?@*#])?/y) ?? this.#take(/\\[\s\S]/y);
  }

  #quoted(): string | undefined {
    const single = this.#take(/'[^']*'/y);
    if (single !== undefined) return single.slice(1, -1);
    if (this.#take(/"/y) === undefined) {
      if (this.#script[this.#at] === "'") throw new Error("a quote is not closed");
      return undefined;
    }
    let text = "";
    while (this.#take(/"/y) === undefined) {
      if (this.#at >= this.#script.length) throw new Error("a quote is not closed");
      text += this.#variable() ?? this.#take(/[^"$\\]+/y) ?? "";
    }
    return text;
  }

  /** Reads up to the bracket that closes `$(`; what is in it is a script of its own. */
  #substitution(): string {
    const start = this.#at;
    for (let depth = 1; depth > 0; ) {
      const next = this.#take(/[^()'"]+|'[^']*'|"[^"]*"|[()]/y);
      if (next === undefined) throw new Error("a substitution is not closed");
      if (next === "(") depth++;
      if (next === ")") depth--;
    }
    const inner = this.#script.slice(start, this.#at - 1);
    const before = this.#line - (inner.split("\n").length - 1);
    this.#commands.push(...new Reader(inner, before).read());
    return `$(${inner})`;
  }
}

function withoutPrefixes(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !keywords.has(word) && !/^\w+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}
