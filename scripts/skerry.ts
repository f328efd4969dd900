import { commands } from "./commands/all.ts";

async function usage(): Promise<string> {
  const loaded = await Promise.all(Object.values(commands).map((load) => load()));
  return `npm run skerry -- COMMAND\n\n${loaded.map((command) => command.usage).join("\n")}`;
}

const [name = "", ...args] = process.argv.slice(2);
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;

if (load === undefined || args.includes("--help")) {
  console.log(await usage());
  if (load === undefined && name !== "--help") process.exitCode = 1;
} else {
  try {
    const command = await load();
    await command.run(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
