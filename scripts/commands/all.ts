import { accountsCommand } from "./accounts.ts";
import { adoptCommand } from "./adopt.ts";
import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { convertCommand } from "./convert.ts";
import { gcCommand } from "./gc.ts";
import { exportCommand, importCommand } from "./interchange.ts";
import { keyCommand } from "./key.ts";

/** The subcommands of `npm run skerry`, by name. */
export const commands: Readonly<Record<string, Command>> = {
  accounts: accountsCommand,
  adopt: adoptCommand,
  check: checkCommand,
  convert: convertCommand,
  export: exportCommand,
  gc: gcCommand,
  import: importCommand,
  key: keyCommand,
};
