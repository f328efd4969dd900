import { type Comparison, ratio } from "./comparison.ts";
import { shown } from "./statistics.ts";

const row = 22;
const left = 290;
const width = 420;
const right = 70;
/** The axis reaches from a hundredth to a hundred times. */
const decades = 2;

/** A chart of how many times as long as the last registry the first takes, on a logarithmic axis. */
export function plot(comparisons: readonly Comparison[]): string {
  const bars = comparisons.flatMap(({ of, results }) => {
    const [first, other] = [results[0], results.at(-1)];
    const value = first && other && first !== other ? ratio(first, other) : Number.NaN;
    return Number.isFinite(value) ? [{ name: of.name, value }] : [];
  });
  const [first = "", other = ""] = [
    comparisons[0]?.results[0]?.registry,
    comparisons[0]?.results.at(-1)?.registry,
  ];
  const height = (bars.length + 3) * row;
  const grid = Array.from({ length: 2 * decades + 1 }, (_, index) => 10 ** (index - decades));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + right} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(first)} beside ${escaped(other)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${left}" y="${row - 6}">time of ${escaped(first)} as a multiple of ${escaped(other)}'s (left of 1: faster)</text>`,
    ...grid.map((value) => line(value, height)),
    ...bars.map(({ name, value }, index) => bar(name, value, (index + 1.5) * row)),
    "</svg>",
    "",
  ].join("\n");
}

function x(value: number): number {
  const clipped = Math.min(Math.max(Math.log10(value), -decades), decades);
  return left + ((clipped + decades) / (2 * decades)) * width;
}

function line(value: number, height: number): string {
  const at = x(value).toFixed(1);
  const colour = value === 1 ? "#444" : "#ddd";
  return (
    `<line x1="${at}" x2="${at}" y1="${row}" y2="${height - row}" stroke="${colour}"/>` +
    `<text x="${at}" y="${height - 7}" text-anchor="middle">${value}</text>`
  );
}

function bar(name: string, value: number, y: number): string {
  const [from, to] = [x(Math.min(value, 1)), x(Math.max(value, 1))];
  const colour = value <= 1 ? "#2b7a4b" : "#b5533c";
  return (
    `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${escaped(name)}</text>` +
    `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${row - 7}" fill="${colour}"/>` +
    `<text x="${(to + 4).toFixed(1)}" y="${y + 12}">${shown(value)}</text>`
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
