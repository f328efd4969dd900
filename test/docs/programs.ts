import { createTestRegistry } from "../support/registry.ts";
import { type Check, type Complaint, optionsOf } from "./complaint.ts";
import { checkNode, checkNpm, checkNpx, checkWrangler } from "./npm.ts";
import { read } from "./pages.ts";

/**
 * Commands of other programs that no test of ours runs as they are written, each with its reason. `npm run
 * test:clients` runs the others.
 */
const untried: Readonly<Record<string, string>> = {
  "docker save":
    "needs an image of the reader's; test/clients/regctl-body-limit.ts imports the same kind of archive",
  "docker login -u": "short for --username, which is run",
  "docker login --password-stdin": "run by test/clients/reader.ts, from examples/github-actions.yml",
  "rclone copy --checksum": "only tells what is copied again",
  "crane copy": "another registry is needed; test/interchange copies between two with skopeo",
  "regctl image copy --referrers": "as with crane",
  "regctl image copy --digest-tags": "as with crane",
};

/** Shells' own commands, and programs about which there is nothing to know here. */
const plain = new Set([
  ...["cd", "export", "echo", "exit", "test", "jq", "date", "git", "mkdir"],
  ...["stat", "sha256sum", "cut", "cat", "sed", "tr"],
]);

/** Groups of commands of a program: the word behind one is part of the command. */
const groups: Readonly<Record<string, readonly string[]>> = {
  docker: ["image", "manifest"],
  regctl: ["artifact", "blob", "image", "index", "manifest", "registry", "repo", "tag"],
};

function clientCheck(...files: readonly string[]): Check {
  const paths = files.map((file) => `test/clients/${file}.ts`);
  const source = paths.map(read).join("\n");
  const isRun = (word: string) => new RegExp(`["'\`]${word}(=[^"'\`]*)?["'\`]`).test(source);
  return ([program = "", ...args]) => {
    const depth = groups[program]?.includes(args[0] ?? "") ? 2 : 1;
    const command = [program, ...args.slice(0, depth)].join(" ");
    const missing =
      args.slice(0, depth).find((word) => !isRun(word)) ??
      optionsOf(args).find((option) => !isRun(option) && untried[`${command} ${option}`] === undefined);
    if (missing === undefined || untried[command] !== undefined) return undefined;
    return `"${command}${missing.startsWith("-") ? ` ${missing}` : ""}" is run by none of ${paths.join(", ")}: run it there, or tell why not in test/docs/programs.ts`;
  };
}

/** curl's options that take a value, and those that take none. */
const curlValues = new Set(["-H", "-u", "-X", "-d", "-o", "-D", "-T", "--data", "--header", "--user"]);
const curlFlags = new Set(["-s", "-S", "-f", "-i", "-I", "-L", "-sS", "-sSf", "-fsS", "--fail", "--head"]);

/** The path must be one that the registry serves. */
async function checkCurl([, ...args]: readonly string[]): Promise<Complaint> {
  let method = "GET";
  const urls: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "-I" || word === "--head") method = "HEAD";
    if (word === "-X") method = args[at + 1] ?? "";
    if (curlValues.has(word)) at++;
    else if (!word.startsWith("-")) urls.push(word);
    else if (!curlFlags.has(word)) return `curl ${word} is not known to this test (test/docs/programs.ts)`;
  }
  for (const url of urls) {
    // Some other server's, or told by an earlier answer: test/uploads/direct.node.test.ts runs those.
    if (url.startsWith("$")) continue;
    const { pathname, search } = new URL(/^https?:/.test(url) ? url : `http://${url}`);
    const answer = await createTestRegistry().client().ask(`${method} ${pathname}${search}`);
    const text = await answer.text();
    if (answer.status === 405 || (answer.status === 404 && !/_UNKNOWN/.test(text)))
      return `the registry answers ${answer.status} to ${method} ${pathname}`;
  }
  return undefined;
}

/** What test/interchange/backup.ts runs of rclone, from docs/operations.md. */
const rcloneRun = new Set(["copy", "--metadata", "--include", "--exclude", "--ignore-existing"]);

function checkRclone([, command = "", ...args]: readonly string[]): Complaint {
  const missing = [command, ...optionsOf(args)].find(
    (word) => !rcloneRun.has(word) && untried[`rclone ${command} ${word}`] === undefined,
  );
  return missing && `"rclone ${missing}" is not run by test/interchange/backup.ts: test/docs/programs.ts`;
}

/** Every program that the documentation calls. */
export const programs: Readonly<Record<string, Check>> = {
  npm: checkNpm,
  npx: checkNpx,
  node: checkNode,
  wrangler: checkWrangler,
  curl: checkCurl,
  rclone: checkRclone,
  docker: clientCheck("docker"),
  podman: clientCheck("podman"),
  buildah: clientCheck("buildah"),
  skopeo: clientCheck("skopeo"),
  crane: clientCheck("crane"),
  oras: clientCheck("oras"),
  helm: clientCheck("helm"),
  cosign: clientCheck("cosign"),
  regctl: clientCheck("regctl", "regctl-body-limit"),
};

/** What is wrong with a command of the documentation, or undefined. */
export async function checkCommand(words: readonly string[]): Promise<Complaint> {
  const program = words[0] ?? "";
  if (plain.has(program)) return undefined;
  const check = Object.hasOwn(programs, program) ? programs[program] : undefined;
  return check ? check(words) : `the program ${program} is not known to this test (test/docs/programs.ts)`;
}
