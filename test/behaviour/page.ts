import type { Answer } from "./check.ts";
import type { Row } from "./row.ts";
import { defects, notHere } from "./rules.ts";

interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

const intro = `# Behaviour, rule by rule

Skerry answers as the CNCF \`distribution\` registry (version 3) answers, except where that is a defect or where the OCI
distribution specification asks for something else. This table says both. It is written by
\`test/behaviour/behaviour.test.ts\`, which sends each request to the whole application, checks the answer, and asks
once more with HEAD, and once more with the other form of the path (with or without a slash at its end).

A word in angle brackets stands for the digest of some content. The last column is empty where \`distribution\` answers
alike; else it says what it answers, and why Skerry does not. P, A, B, D, F and H number the rules of distribution's
behaviour, M [its defects](#defects-of-distribution), OCI the requirements in [conformance.md](conformance.md).`;

/** The table of all rows with the answers that they got, as Markdown. */
export function behaviourPage(
  sections: Readonly<Record<string, Section>>,
  answers: ReadonlyMap<Row, Answer>,
): string {
  const parts = Object.entries(sections).map(([file, { title, rows }]) => {
    const path = `test/behaviour/rows/${file}.ts`;
    const lines = rows.map((row) => lineOf(row, answers.get(row)));
    return [
      `## ${title}`,
      `[${path}](../${path})`,
      table(["rule", "request", "condition", "answer", "distribution"], lines),
    ].join("\n\n");
  });
  const more = [
    ["## Defects of distribution", table(["", "defect"], Object.entries(defects))],
    ["## Rules and codes without a row", table(["rule", "reason"], Object.entries(notHere))],
  ].flat();
  return `${[intro, ...parts, ...more].join("\n\n")}\n`;
}

function lineOf(row: Row, answer: Answer | undefined): string[] {
  const { differs } = row;
  return [
    row.rule,
    code(row.request) +
      Object.entries(row.headers ?? {})
        .map(([name, value]) => `<br>${code(`${name}: ${value}`)}`)
        .join(""),
    row.condition,
    answer === undefined ? "" : answerOf(row, answer),
    differs === undefined ? "" : `${differs.seed} (${differs.because})`,
  ];
}

function answerOf(row: Row, { status, codes, headers }: Answer): string {
  const errors = codes.map((name, index) => {
    const { message, detail } = row.errors?.[index] ?? {};
    return [code(name), message ?? "", detail === undefined ? "" : code(JSON.stringify(detail))]
      .filter(Boolean)
      .join(" ");
  });
  const headerLines = Object.entries(headers).map(([name, value]) =>
    value === null ? `no ${code(name)}` : code(`${name}: ${value}`),
  );
  return [`${status} ${errors.join(", ")}`.trim(), ...headerLines, ...contentOf(row)].join("<br>");
}

function contentOf({ content, referrers }: Row): readonly string[] {
  if (referrers !== undefined) return [`an index of ${referrers.map(code).join(", ") || "nothing"}`];
  if (content === undefined) return [];
  return [typeof content === "string" ? `the bytes of ${code(content)}` : code(JSON.stringify(content))];
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = [heads, heads.map(() => "---"), ...lines.map((cells) => cells.map(cell))];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** In a cell a bar would begin the next one. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** A code span, without what makes it long: runs of one character, and many query parameters. */
function code(text: string): string {
  const short = text.replace(/(.)\1{19,}/g, "$1…").replace(/(&[^&]+){10,}/, "&…");
  return `\`${short}\``;
}
