import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { vi } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { commands } from "../../scripts/commands/all.ts";
import { type Check, type Complaint, firstOf, optionsOf } from "./complaint.ts";
import { read } from "./pages.ts";

const { scripts } = JSON.parse(read("package.json")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const builtIn = new Set(["ci", "install"]);
/** What npm calls when it is asked for a script without `run`. */
const shortcuts = new Set(["start", "test"]);

/** `npm ci`, `npm start -- --port 1`, `npm run -s skerry -- check`. */
export const checkNpm: Check = (words) => {
  const [verb = "", ...rest] = words.slice(1);
  if (builtIn.has(verb)) return undefined;
  if (shortcuts.has(verb)) return checkScript(verb, afterDashes(rest));
  if (verb !== "run") return `npm ${verb} is not known to this test (test/docs/npm.ts)`;
  const name = rest.find((word) => !word.startsWith("-")) ?? "";
  return checkScript(name, afterDashes(rest));
};

/** `npx wrangler …`, `npx vitest run test/tags -u`. */
export const checkNpx: Check = ([, program = "", ...args]) => checkBinary([program, ...args]);

/** `node bench/run.ts`. */
export const checkNode: Check = ([, ...words]) => {
  const [file = "", ...args] = words[0] === "--import" ? words.slice(2) : words;
  return checkProgramFile(file, args);
};

/** `wrangler secret put NAME`: its own help must know the command and the options. */
export const checkWrangler: Check = async ([, ...args]) => {
  const command = subcommandOf(args);
  const help = await helpOf(command);
  if (!help.includes(`wrangler ${command}`.trim())) return `wrangler has no command "${command}"`;
  return optionsOf(args)
    .filter((option) => !new RegExp(`(^|[\\s,])${option}\\b`, "m").test(help))
    .map((option) => `wrangler ${command} has no option ${option}`)[0];
};

function afterDashes(words: readonly string[]): readonly string[] {
  const dashes = words.indexOf("--");
  return dashes < 0 ? [] : words.slice(dashes + 1);
}

function checkScript(name: string, args: readonly string[]): Complaint | Promise<Complaint> {
  const script = scripts[name];
  if (script === undefined) return `package.json has no script "${name}"`;
  if (name === "skerry") return checkSkerry(args);
  return firstOf(
    script.split(" && ").map((part) => {
      const words = part.split(" ");
      return words[0] === "npm" ? checkNpm(words) : checkBinary([...words, ...args]);
    }),
  );
}

const binaries: Readonly<Record<string, Check>> = {
  node: checkNode,
  wrangler: checkWrangler,
  vitest: ([, ...args]) => {
    const paths = args.filter((arg) => /^(\.\/)?test\//.test(arg.replace(/^--reporter=/, "")));
    const missing = paths.find((path) => !existsSync(join(projectRoot, path.replace(/^--reporter=/, ""))));
    return missing && `${missing} does not exist`;
  },
  tsc: () => undefined,
  biome: () => undefined,
};

function checkBinary(words: readonly string[]): Complaint | Promise<Complaint> {
  const check = binaries[words[0] ?? ""];
  return check ? check(words) : `${words[0]} is not known to this test (test/docs/npm.ts)`;
}

/** The options must be named in the file's own text, as parseArgs or a look at process.argv needs. */
function checkProgramFile(file: string, args: readonly string[]): Complaint {
  if (!existsSync(join(projectRoot, file))) return `${file} does not exist`;
  const source = read(file);
  const unknown = optionsOf(args).find((option) => {
    const name = option.replace(/^-+/, "");
    return !new RegExp(`(["'\`]?)${name}\\1\\s*:|["'\`]--${name}\\b`).test(source);
  });
  return unknown && `${file} knows no option ${unknown}`;
}

/** Never an option: parseArgs refuses it when it has taken all that stand before it. */
const probe = "--the-probe-of-the-documentation";

/** Lets the command itself parse the arguments, which it does before anything else. */
async function checkSkerry([name = "", ...args]: readonly string[]): Promise<Complaint> {
  if (name === "--help") return undefined;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return `npm run skerry has no command "${name}"`;
  const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    const command = await load();
    await command.run([...args, probe]);
    return said.mock.lastCall?.join(" ").includes(probe) ? undefined : String(said.mock.lastCall);
  } catch (error) {
    return String(error).includes(probe) ? undefined : String(error);
  } finally {
    said.mockRestore();
    process.exitCode = undefined;
  }
}

/** The words before the first one that is an option, a value or a placeholder. */
function subcommandOf(args: readonly string[]): string {
  const known: string[] = [];
  for (const word of args) {
    if (!/^[a-z][a-z0-9-]*$/.test(word)) break;
    known.push(word);
  }
  // What follows a command of this many words is its argument, as in `r2 bucket create skerry`.
  const depth = { r2: 3, kv: 3, queues: 2, secret: 2 }[known[0] ?? ""] ?? 1;
  const isDeeper = known[0] === "r2" && ["lifecycle", "notification"].includes(known[2] ?? "");
  return known.slice(0, isDeeper ? depth + 1 : depth).join(" ");
}

const helps = new Map<string, Promise<string>>();

function helpOf(command: string): Promise<string> {
  const wrangler = join(projectRoot, "node_modules/wrangler/bin/wrangler.js");
  const words = command.split(" ").filter((word) => word !== "");
  const env = { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
  const help =
    helps.get(command) ??
    promisify(execFile)(process.execPath, [wrangler, ...words, "--help"], { env }).then(
      ({ stdout }) => stdout,
      (error: unknown) => String(error),
    );
  helps.set(command, help);
  return help;
}
