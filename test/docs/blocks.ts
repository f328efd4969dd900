import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Complaint } from "./complaint.ts";
import { checkJson, checkToml, checkYaml } from "./data.ts";
import type { Block } from "./pages.ts";
import { checkCommand } from "./programs.ts";
import { commandsOf } from "./shell.ts";
import { checkSql } from "./sql.ts";

/** Pages that may show text which is neither a command nor configuration, and what it is. */
const plainText: Readonly<Record<string, string>> = {
  "docs/architecture.md": "the folders of the source",
};

/** Scripts by page: the label under which a test finds and runs it. */
const scripts: Readonly<Record<string, string>> = {
  // test/events/verify.node.test.ts
  "docs/events.md": "verify",
};

/** What is wrong with a block of the documentation: a complaint for each fault, with its place. */
export async function complaintsAbout(block: Block): Promise<readonly string[]> {
  if (block.language === "sh") return shellComplaints(block);
  const complaint = await checkOther(block);
  return complaint === undefined ? [] : [`${block.at}: ${complaint}`];
}

function checkOther(block: Block): Complaint | Promise<Complaint> {
  switch (block.language) {
    case "json":
      return checkJson(block);
    case "yaml":
      return checkYaml(block);
    case "toml":
      return checkToml(block);
    case "sql":
      return checkSql(block);
    case "js":
      return scripts[block.page] === block.label ? undefined : "a script that no test runs";
    case "text":
      return block.page in plainText
        ? undefined
        : "text that nobody checks; test/docs/blocks.ts lists the exceptions";
    default:
      return `a block of "${block.language}": sh, json, toml, yaml, sql, js or text expected behind the fence`;
  }
}

async function shellComplaints({ at, text }: Block): Promise<readonly string[]> {
  const syntax = await promisify(execFile)("bash", ["-n", "-c", text]).then(
    () => undefined,
    (error: { readonly stderr: string }) => `${at}: ${error.stderr.trim()}`,
  );
  if (syntax !== undefined) return [syntax];
  const [page = "", first = "0"] = at.split(/:(?=\d+$)/);
  const found: string[] = [];
  for (const { line, words } of commandsOf(text)) {
    const complaint = await checkCommand(words);
    if (complaint !== undefined) found.push(`${page}:${Number(first) + line}: ${complaint}`);
  }
  return found;
}
