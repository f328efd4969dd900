/** One line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const width = 760;
const height = 440;
const area = { left: 70, right: 190, top: 50, bottom: 60 };
const colours = ["#b3431f", "#d97706", "#e5a823", "#0b6e6e"];

/** A plot with two logarithmic axes, as SVG. All values are 1 and more. */
export function plot(title: string, xName: string, yName: string, series: readonly Series[]): string {
  const xs = decades(series.flatMap(({ points }) => points.map(({ x }) => x)));
  const ys = decades(series.flatMap(({ points }) => points.map(({ y }) => y)));
  const right = width - area.right;
  const bottom = height - area.bottom;
  const x = scale(xs, area.left, right);
  const y = scale(ys, bottom, area.top);
  const grid = [
    ...xs.map(
      (value) =>
        `<path d="M${x(value)} ${area.top}V${bottom}" class="grid"/><text x="${x(value)}" y="${bottom + 20}" text-anchor="middle">${value.toLocaleString("en")}</text>`,
    ),
    ...ys.map(
      (value) =>
        `<path d="M${area.left} ${y(value)}H${right}" class="grid"/><text x="${area.left - 8}" y="${y(value) + 4}" text-anchor="end">${value.toLocaleString("en")}</text>`,
    ),
  ];
  const lines = series.map(({ name, points }, index) => {
    const colour = colours[index % colours.length];
    const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
    const dots = points.map(
      (point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="${colour}"/>`,
    );
    const last = points.at(-1);
    const label = last && `<text x="${x(last.x) + 10}" y="${y(last.y) + 4}" fill="${colour}">${name}</text>`;
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}${label ?? ""}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<style>.grid { stroke: #ddd }</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${area.left}" y="26" font-size="15">${title}</text>
${[...grid, ...lines].join("\n")}
<text x="${(area.left + right) / 2}" y="${height - 14}" text-anchor="middle">${xName}</text>
<text x="16" y="${(area.top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 ${(area.top + bottom) / 2})">${yName}</text>
</svg>
`;
}

/** The powers of ten from the one at or below the least value to the one at or above the greatest. */
function decades(values: readonly number[]): readonly number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function scale(range: readonly number[], from: number, to: number): (value: number) => number {
  const first = Math.log10(range[0] ?? 1);
  const last = Math.log10(range.at(-1) ?? 10);
  return (value) => Math.round(from + ((Math.log10(value) - first) / (last - first)) * (to - from));
}
