import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Why the clients cannot be run on this machine at all, or undefined if they can. */
export async function missingRequirement(): Promise<string | undefined> {
  if (process.platform !== "linux") return "the clients run on Linux only";
  if (process.getuid?.() !== 0) return "docker, containerd and podman need root";
  if (!(await isInPath("apt-get"))) return "the clients are installed with apt-get, which is not here";
  if (!(await isInPath("unshare"))) return "unshare is not here";
  return undefined;
}

export async function isInPath(program: string): Promise<boolean> {
  for (const dir of (process.env.PATH ?? "").split(delimiter)) {
    const found = await access(join(dir, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
