/** A table, line by line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

/** A number without decimals, such as 1,000. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** US dollars; small sums with two digits that count. */
export function dollars(value: number): string {
  return value > 0 && value < 0.01 ? `$${value.toPrecision(2)}` : `$${value.toFixed(2)}`;
}
