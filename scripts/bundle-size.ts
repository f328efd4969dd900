import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildWorker, projectRoot } from "./build-worker.ts";

const limitKiB = 60;

const directory = await mkdtemp(join(tmpdir(), "skerry-bundle-"));
try {
  await buildWorker(directory, join(projectRoot, "wrangler.toml"));
  // Wrangler leaves a README and the source map beside the modules; neither is uploaded.
  const modules = (await readdir(directory)).filter((file) => !/\.(md|map)$/.test(file));
  const contents = await Promise.all(modules.map((file) => readFile(join(directory, file))));
  const kib = (bytes: number) => bytes / 1024;
  const raw = kib(contents.reduce((sum, content) => sum + content.length, 0));
  const zipped = kib(contents.reduce((sum, content) => sum + gzipSync(content).length, 0));
  console.log(`bundle: ${raw.toFixed(1)} KiB, ${zipped.toFixed(1)} KiB gzip (limit ${limitKiB} KiB gzip)`);
  if (zipped > limitKiB) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}
