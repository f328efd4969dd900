import operations from "../../docs/operations.md?raw";
import { commandsOf } from "../docs/shell.ts";

/** One `rclone copy` of the documentation. */
export interface Copy {
  /** Source and target with their variables, such as `$FROM/blobs`. */
  readonly from: string;
  readonly to: string;
  /** Whether the copy takes this path below its source. */
  takes(path: string): boolean;
  /** Whether metadata comes along. */
  readonly metadata: boolean;
  /** Whether what is in the target already stays as it is. */
  readonly ignoreExisting: boolean;
}

/** The copies of the block that is labelled so, in their order. @throws Error for what this does not understand. */
export function recipe(label: "backup" | "restore"): readonly Copy[] {
  const block = new RegExp(`^\`\`\`sh ${label}\\n([^]*?)^\`\`\``, "m").exec(operations)?.[1] ?? "";
  const copies = commandsOf(block).filter(({ words }) => words[0] === "rclone");
  if (copies.length === 0) throw new Error(`docs/operations.md has no copies for ${label}`);
  return copies.map(({ words }) => copyOf(words));
}

function copyOf([, verb, from = "", to = "", ...options]: readonly string[]): Copy {
  if (verb !== "copy") throw new Error(`rclone ${verb}`);
  const includes: RegExp[] = [];
  const excludes: RegExp[] = [];
  let metadata = false;
  let ignoreExisting = false;
  for (let at = 0; at < options.length; at++) {
    const option = options[at];
    if (option === "--include") includes.push(filter(options[++at] ?? ""));
    else if (option === "--exclude") excludes.push(filter(options[++at] ?? ""));
    else if (option === "--metadata") metadata = true;
    else if (option === "--ignore-existing") ignoreExisting = true;
    else throw new Error(`rclone ${option}`);
  }
  return {
    from,
    to,
    metadata,
    ignoreExisting,
    takes: (path) =>
      !excludes.some((pattern) => pattern.test(`/${path}`)) &&
      (includes.length === 0 || includes.some((pattern) => pattern.test(`/${path}`))),
  };
}

/** rclone's filter pattern that begins at the root, with no wildcard but `**`. */
function filter(pattern: string): RegExp {
  if (!pattern.startsWith("/") || /[?[\]{}]|[^*]\*[^*]/.test(pattern)) throw new Error(`filter ${pattern}`);
  return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("**", ".*")}$`);
}
