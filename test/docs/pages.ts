import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Every page of the documentation, relative to the root. */
export const pages: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs")).map((file) => `docs/${file}`),
].filter((path) => path.endsWith(".md"));

/** The text of a file, by its path from the root. */
export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A fenced block of a page, or a file that could be one. */
export interface Block {
  /** Where it is, as an editor takes it: `docs/api.md:12`. */
  readonly at: string;
  readonly page: string;
  /** The first word behind the fence; empty if there is none. */
  readonly language: string;
  /** The second word: what the block is an example of. */
  readonly label: string;
  readonly text: string;
}

/** The fenced blocks of a page in their order. @throws Error for a fence that is not closed. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly info: string; readonly lines: string[] } | undefined;
  for (const [index, line] of read(page).split("\n").entries()) {
    const [, fence, info = ""] = /^\s*(```+)\s*(.*)$/.exec(line) ?? [];
    if (fence === undefined) open?.lines.push(line);
    else if (open === undefined) open = { line: index + 2, info, lines: [] };
    else {
      const [language = "", label = ""] = open.info.split(/\s+/);
      blocks.push({ at: `${page}:${open.line}`, page, language, label, text: open.lines.join("\n") });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line - 1}: a fence that is not closed`);
  return blocks;
}

const command = /`((?:npm|npx|node|wrangler) [^`\n]+)`/g;

/** The commands that stand in a page's running text, in backticks, as blocks. */
export function inlineCommands(page: string): readonly Block[] {
  let fenced = false;
  return read(page)
    .split("\n")
    .flatMap((line, index) => {
      if (/^\s*```/.test(line)) fenced = !fenced;
      if (fenced) return [];
      return [...line.matchAll(command)].map(([, text = ""]) => ({
        at: `${page}:${index + 1}`,
        page,
        language: "sh",
        label: "",
        text,
      }));
    });
}
