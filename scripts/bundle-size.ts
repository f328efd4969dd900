import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildWorker, projectRoot } from "./build-worker.ts";

/** KiB, after gzip, of the whole Worker, and of its core: what remains without log-ins, maintenance, pull-through, imports, events and web pages. */
const limits = { whole: 120, core: 60 } as const;
const beside = [
  ...["auth", "maintenance", "upstream", "imports", "events", "web"].flatMap((folder) => [
    `./${folder}/*`,
    `../${folder}/*`,
  ]),
  "jose",
];

/** The modules that wrangler would upload. */
async function whole(): Promise<readonly Uint8Array[]> {
  const directory = await mkdtemp(join(tmpdir(), "skerry-bundle-"));
  try {
    await buildWorker(directory, join(projectRoot, "wrangler.toml"));
    // Wrangler leaves a README and the source map beside the modules; neither is uploaded.
    const modules = (await readdir(directory)).filter((file) => !/\.(md|map)$/.test(file));
    return await Promise.all(modules.map((file) => readFile(join(directory, file))));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function core(): Promise<readonly Uint8Array[]> {
  const { outputFiles } = await build({
    entryPoints: [join(projectRoot, "src/index.ts")],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: beside,
  });
  return outputFiles.map(({ contents }) => contents);
}

function report(what: keyof typeof limits, modules: readonly Uint8Array[]): void {
  const kib = modules.reduce((sum, module) => sum + gzipSync(module).length, 0) / 1024;
  console.log(`${what}: ${kib.toFixed(1)} KiB gzip (limit ${limits[what]} KiB)`);
  if (kib > limits[what]) process.exitCode = 1;
}

report("core", await core());
report("whole", await whole());
