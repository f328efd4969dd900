import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";
import { buildWorker, projectRoot } from "../../scripts/build-worker.ts";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/settings.ts";
import { clientFiles } from "../upstream/documented.ts";
import type { Complaint } from "./complaint.ts";
import { type Block, read } from "./pages.ts";

/** What a block of JSON may be, besides the value of a variable. */
const roles = new Set(["answer", "request", "file"]);

/** Files of other programs, which the tests of the clients hand to them as they are. */
const tried = new Set<string>(Object.values(clientFiles));

/** JSON must say what it is an example of; the value of a variable must be one that the Worker takes. */
export function checkJson({ label, text }: Block): Complaint {
  if (tried.has(label)) return complaintOf(() => JSON.parse(text));
  const isVariable = Object.hasOwn(settings, label);
  if (!isVariable && !roles.has(label)) {
    return `say what it is behind the fence: \`\`\`json NAME_OF_A_VARIABLE, or one of ${[...roles].join(", ")}`;
  }
  return complaintOf(() => {
    JSON.parse(text);
    if (isVariable) readConfig({ [label]: text });
  });
}

/** YAML must parse, and have no key twice. */
export function checkYaml({ text }: Block): Complaint {
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors;
    if (error !== undefined) return error.message;
  }
  return undefined;
}

/** TOML is a part of wrangler.toml, or all of it: wrangler must build with it, and the Worker take its variables. */
export async function checkToml({ label, text }: Block): Promise<Complaint> {
  if (tried.has(label)) return complaintOf(() => parseToml(text));
  try {
    const ours = parseToml(read("wrangler.toml"));
    const theirs = parseToml(text);
    readConfig((theirs.vars ?? {}) as Record<string, unknown>);
    const merged = { ...ours, ...theirs, main: join(projectRoot, "src/index.ts") };
    return await buildComplaint(merged);
  } catch (error) {
    return messageOf(error);
  }
}

/** What wrangler says against a configuration, warnings included. */
async function buildComplaint(config: object): Promise<Complaint> {
  const folder = await mkdtemp(join(tmpdir(), "skerry-docs-"));
  try {
    const file = join(folder, "wrangler.json");
    await writeFile(file, JSON.stringify(config));
    const said = await buildWorker(join(folder, "built"), file);
    return /\[WARNING\][\s\S]*?\n\n/.exec(said)?.[0];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function complaintOf(work: () => unknown): Complaint {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
