import { type RequestName, requests } from "./requests.ts";
import type { State } from "./states.ts";

const begin = "<!-- fault table: written by npx vitest run test/upstream/table -u -->";
const end = "<!-- /fault table -->";

/** What was answered in each cell, by the state's name. */
export type Answers = ReadonlyMap<string, Readonly<Partial<Record<RequestName, string>>>>;

/** The page with the table between its marks. @throws Error if the marks are missing. */
export function withFaultTable(page: string, states: readonly State[], answers: Answers): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error("the marks of the fault table are missing");
  return `${page.slice(0, from)}${begin}\n\n${tableOf(states, answers)}\n\n${page.slice(to)}`;
}

function tableOf(states: readonly State[], answers: Answers): string {
  const names = Object.keys(requests) as RequestName[];
  const heads = ["the upstream", ...names.map((name) => requests[name].title)];
  const rows = states.map(({ title }) => [title, ...names.map((name) => answers.get(title)?.[name] ?? "")]);
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
