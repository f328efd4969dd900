import type { Command } from "./command.ts";

/** The subcommands of `npm run skerry`, by name. Each is loaded when it is called: some bring much with them. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  accounts: async () => (await import("./accounts.ts")).accountsCommand,
  adopt: async () => (await import("./adopt.ts")).adoptCommand,
  check: async () => (await import("./check.ts")).checkCommand,
  convert: async () => (await import("./convert.ts")).convertCommand,
  copy: async () => (await import("./copy.ts")).copyCommand,
  export: async () => (await import("./interchange.ts")).exportCommand,
  gc: async () => (await import("./gc.ts")).gcCommand,
  import: async () => (await import("./interchange.ts")).importCommand,
  key: async () => (await import("./key.ts")).keyCommand,
  retention: async () => (await import("./retention.ts")).retentionCommand,
  push: async () => (await import("./push.ts")).pushCommand,
};
