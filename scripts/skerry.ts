import { accountsCommand } from "./commands/accounts.ts";
import { adoptCommand } from "./commands/adopt.ts";
import { checkCommand } from "./commands/check.ts";
import type { Command } from "./commands/command.ts";
import { convertCommand } from "./commands/convert.ts";
import { gcCommand } from "./commands/gc.ts";
import { exportCommand, importCommand } from "./commands/interchange.ts";
import { keyCommand } from "./commands/key.ts";

const commands: Readonly<Record<string, Command>> = {
  accounts: accountsCommand,
  adopt: adoptCommand,
  check: checkCommand,
  convert: convertCommand,
  export: exportCommand,
  gc: gcCommand,
  import: importCommand,
  key: keyCommand,
};

const usage = `npm run skerry -- COMMAND

${Object.values(commands)
  .map((command) => command.usage)
  .join("\n")}`;

const [name = "", ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;

if (command === undefined || args.includes("--help")) {
  console.log(usage);
  if (command === undefined && name !== "--help") process.exitCode = 1;
} else {
  try {
    await command.run(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
