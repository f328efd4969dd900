import { DatabaseSync } from "node:sqlite";
import { columns } from "../../src/observe/data-point.ts";
import type { Complaint } from "./complaint.ts";
import type { Block } from "./pages.ts";

/**
 * SQL is a query of Analytics Engine over our data points. SQLite runs it over a table with their columns: what it
 * lacks of the dialect is given to it, or written as SQLite writes it.
 */
export function checkSql({ text }: Block): Complaint {
  try {
    run(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function run(query: string): void {
  const database = new DatabaseSync(":memory:");
  const names = ["timestamp", "_sample_interval", ...Object.keys(columns)];
  database.exec(`CREATE TABLE skerry (${names.join(", ")})`);
  database.exec(`INSERT INTO skerry VALUES (${names.map(() => "1").join(", ")})`);
  database.function("NOW", () => 0);
  database.function("toStartOfInterval", (time, _interval) => time);
  database.aggregate("quantileExactWeighted", { start: 0, step: (_, _level, value, _weight) => value });
  const translated = query
    .replaceAll(/INTERVAL '\d+' (?:DAY|HOUR|MINUTE)/g, "1")
    .replaceAll(/(quantileExactWeighted)\(([\d.]+)\)\(/g, "$1($2, ");
  database.prepare(translated).all();
  database.close();
}
