import { spawn } from "node:child_process";
import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** An image of a local engine. */
export interface EngineImage {
  /** The program: `docker` or `podman`. */
  readonly engine: string;
  readonly name: string;
}

/** How each engine writes an image to its standard output, with the layers as they are in its store. */
const saveCommands: Readonly<Record<string, readonly string[]>> = {
  docker: ["save"],
  podman: ["save", "--quiet", "--format", "docker-archive"],
};

/** The first of docker and podman that has the image. @throws Error with what each of them says. */
export async function findEngine(name: string): Promise<EngineImage> {
  const complaints: string[] = [];
  for (const engine of Object.keys(saveCommands)) {
    const complaint = await complaintOf(engine, ["image", "inspect", "--format", "{{.Id}}", name]);
    if (complaint === undefined) return { engine, name };
    complaints.push(`${engine}: ${complaint}`);
  }
  throw new Error(
    `there is no file or folder ${name}, and no engine has such an image\n${complaints.join("\n")}`,
  );
}

/**
 * Starts to write an image as a docker-archive.
 * @returns the archive, and a promise that rejects with what the engine says if it fails.
 */
export function saveImage(
  engine: string,
  name: string,
): { readonly output: Readable; readonly ended: Promise<void> } {
  const child = spawn(engine, [...(saveCommands[engine] ?? []), name], { stdio: ["ignore", "pipe", "pipe"] });
  const said = text(child.stderr);
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${engine}: ${error.message}`)));
    child.once("close", async (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${engine} save ${name}: ${(await said).trim() || `exit code ${code}`}`));
    });
  });
  // Piped at once: Node throws away what a child has written that nobody reads when it exits.
  return { output: child.stdout.pipe(new PassThrough()), ended };
}

async function complaintOf(program: string, args: readonly string[]): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const said = text(child.stderr);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", async (code) =>
      resolve(code === 0 ? undefined : (await said).trim() || `exit code ${code}`),
    );
  });
}
