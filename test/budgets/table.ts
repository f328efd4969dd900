/** An operation without what differs from run to run. */
export function shortened(operation: string): string {
  return operation
    .replaceAll("docker/registry/v2/", "")
    .replaceAll("https://registry.example/v2/_skerry/cache/", "")
    .replaceAll(/repositories\/(app|other)\//g, "")
    .replace(/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}/g, "…")
    .replace(/sha256\/[0-9a-f]{64}/g, "…")
    .replaceAll(/_uploads\/[0-9a-f-]{36}\//g, "_uploads/")
    .replace(/\/sha256-[0-9a-f]{64}/, "/…")
    .replace(/\/t\d$/, "/…")
    .replaceAll(/tags\/t\d\//g, "tags/…/")
    .replace(/(\S+)(?: \1)+$/, (keys, key) => `${key} (${keys.split(" ").length} keys)`)
    .replace(/:t\d$/, ":…");
}

/** The lines of the table, with operations that repeat themselves in a row written once. */
export function collapse(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const cells = line.split(" | ");
    const operations = (cells.pop() ?? "").replace(/ \|$/, "").split(" · ");
    const runs: { operation: string; count: number }[] = [];
    for (const operation of operations) {
      const last = runs.at(-1);
      if (last?.operation === operation) last.count++;
      else runs.push({ operation, count: 1 });
    }
    const text = runs.map(({ operation, count }) => (count === 1 ? operation : `${operation} x${count}`));
    return `${cells.join(" | ")} | ${text.join(" · ")} |`;
  });
}
