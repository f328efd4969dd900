import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const maxLines = 300;

/** What each folder of src/ may import of ours, itself included. */
const layers: Readonly<Record<string, readonly string[]>> = {
  oci: ["oci/"],
  storage: ["storage/", "oci/"],
  auth: ["auth/", "storage/", "oci/"],
  upstream: ["upstream/", "auth/", "storage/", "oci/"],
  maintenance: ["maintenance/", "storage/", "oci/"],
  events: [
    "events/",
    "storage/bounded.ts",
    "storage/ports.ts",
    "oci/",
    // A pattern of repositories, and how secrets are read.
    "auth/grants.ts",
    "auth/secret-json.ts",
    "version.ts",
  ],
  imports: ["imports/", "upstream/", "maintenance/", "events/", "storage/", "oci/"],
  observe: ["observe/", "storage/", "oci/"],
  // registry.ts names the parts that handlers are given.
  handlers: [
    "handlers/",
    "observe/",
    "imports/",
    "events/",
    "maintenance/",
    "upstream/",
    "auth/",
    "storage/",
    "oci/",
    "registry.ts",
    "version.ts",
  ],
  // Of the handlers, what every request goes through; registry.ts and version.ts as above.
  web: [
    "web/",
    "handlers/admin.ts",
    "handlers/authentication.ts",
    "handlers/body.ts",
    "handlers/changes.ts",
    "handlers/context.ts",
    "handlers/errors.ts",
    "handlers/location.ts",
    "handlers/retention.ts",
    "maintenance/",
    "auth/",
    "storage/",
    "oci/",
    "registry.ts",
    "version.ts",
  ],
};

const runtimeDependencies = ["aws4fetch", "hono", "jose", "p-map", "valibot"];

/** Who may write an R2 object on a condition: a register's swap, and keys that are written once. */
const conditionalWriters: readonly string[] = ["storage/register.ts"];

/**
 * Who may remove keys of the bucket: a projection of a register, an upload's own segments, and garbage collection:
 * under its guard, its own records and marks, and uploads whose sessions are over; and imports that are over.
 */
const removers: readonly string[] = [
  "imports/forget.ts",
  "maintenance/gc/blobs.ts",
  "maintenance/gc/claims.ts",
  "maintenance/gc/run.ts",
  "maintenance/gc/sweep.ts",
  "maintenance/gc/uploads.ts",
  "storage/projection.ts",
  "storage/segments.ts",
  "storage/untagged-mark.ts",
];

interface SourceFile {
  /** Relative to src/, with slashes. */
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly lines: number;
  /** Modules imported, types included: a path relative to src/ for our own, a package's specifier otherwise. */
  readonly imports: readonly string[];
}

let files: readonly SourceFile[];

beforeAll(async () => {
  const entries = await readdir(join(root, "src"), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => posix.relative(join(root, "src"), join(entry.parentPath, entry.name)));
  files = await Promise.all(paths.sort().map(read));
});

async function read(path: string): Promise<SourceFile> {
  const text = await readFile(join(root, "src", path), "utf8");
  const code = withoutComments(text);
  const specifiers = code.matchAll(/(?:(?<=[\s}])from\s*|\bimport\s*\(?\s*)"([^"\n]+)"/g);
  const imports = Array.from(specifiers, ([, specifier = ""]) =>
    specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier,
  );
  return { path, code, lines: text.split("\n").length - 1, imports };
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
}

function isOurs(specifier: string): boolean {
  return /\.tsx?$/.test(specifier);
}

/** `path: import` for every import of ours that `isAllowed` does not allow. */
function offences(isAllowed: (file: SourceFile, imported: string) => boolean): readonly string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((imported) => isOurs(imported) && !isAllowed(file, imported))
      .map((imported) => `${file.path} imports ${imported}`),
  );
}

function filesWith(pattern: RegExp): readonly string[] {
  return files.filter(({ code }) => pattern.test(code)).map(({ path }) => path);
}

describe("layers", () => {
  test("the sources are found, and so are their imports", () => {
    const app = files.find(({ path }) => path === "app.ts");
    expect(app?.imports.some((imported) => imported.startsWith("handlers/"))).toBe(true);
    expect(app?.imports.some((imported) => imported.startsWith("hono"))).toBe(true);
  });

  test.each(Object.entries(layers))("%s/ imports only what is below it", (layer, allowed) => {
    expect(
      offences(
        ({ path }, imported) =>
          !path.startsWith(`${layer}/`) || allowed.some((start) => imported.startsWith(start)),
      ),
    ).toEqual([]);
  });

  test("only app.ts and the web pages import handlers", () => {
    expect(
      offences(
        ({ path }, imported) =>
          !imported.startsWith("handlers/") || path === "app.ts" || /^(handlers|web)\//.test(path),
      ),
    ).toEqual([]);
  });

  test("nothing imports the Worker, and only the Worker imports the app", () => {
    expect(
      offences(
        ({ path }, imported) => imported !== "index.ts" && (imported !== "app.ts" || path === "index.ts"),
      ),
    ).toEqual([]);
  });
});

describe("packages", () => {
  test("the runtime dependencies are these and no others", async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies).sort()).toEqual([...runtimeDependencies].sort());
  });

  test("src/ imports no other package", () => {
    const packages = files.flatMap(({ imports }) => imports.filter((imported) => !isOurs(imported)));
    const names = new Set(packages.map((specifier) => specifier.split("/")[0]));
    expect([...names].filter((name = "") => name !== "cloudflare:workers").sort()).toEqual(
      [...runtimeDependencies].sort(),
    );
  });
});

describe("writes that could lose another writer's", () => {
  test("only these files put on a condition", () => {
    expect(filesWith(/\bonlyIf\b/)).toEqual(conditionalWriters);
  });

  test("only these files remove keys of the bucket", () => {
    expect(filesWith(/\bbucket\.delete\(/)).toEqual(removers);
  });
});

describe("files", () => {
  test(`none is longer than ${maxLines} lines`, () => {
    const long = files.filter(({ lines }) => lines > maxLines);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("only the Worker has a default export", () => {
    expect(filesWith(/\bexport default\b|\bas default\b/)).toEqual(["index.ts"]);
  });
});
