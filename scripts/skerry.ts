import { commands } from "./commands/all.ts";

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
