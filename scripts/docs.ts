import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { settings } from "../src/settings.ts";

/** The files that hold the table of variables, between these two marks. */
export const documents = ["README.md", "docs/configuration.md"] as const;
const begin = "<!-- variables: written by npm run docs -->";
const end = "<!-- /variables -->";

/** The table of every variable, as Markdown. */
export function variablesTable(): string {
  const rows = Object.entries(settings).map(([name, { fallback, about }]) => {
    const shown = fallback === "" ? "" : `\`${fallback}\``;
    return `| \`${name}\` | ${shown} | ${about.replaceAll("|", "\\|")} |`;
  });
  return ["| variable | default | what it does |", "|---|---|---|", ...rows].join("\n");
}

/** The text with the table between the marks. @throws Error if the marks are missing. */
export function withTable(text: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error("the marks of the table are missing");
  return `${text.slice(0, from)}${begin}\n${variablesTable()}\n${text.slice(to)}`;
}

if (import.meta.main) {
  for (const document of documents) {
    const path = join(import.meta.dirname, "..", document);
    await writeFile(path, withTable(await readFile(path, "utf8")));
  }
}
