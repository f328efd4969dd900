import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes a link of the tree whole or not at all. @returns whether it did not say so already. */
export async function writeLink(root: string, name: string, text: string): Promise<boolean> {
  const path = join(root, name);
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present === text) return false;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
  return true;
}
