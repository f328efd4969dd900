import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Resident memory, in MiB, of the workerd that a process started: the Worker with the simulators of R2 and KV.
 * @param parent its process id; this process unless given.
 * @throws Error if there is none.
 */
export async function resident(parent = process.pid): Promise<number> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const status = await readFile(`/proc/${entry}/status`, "utf8").catch(() => "");
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
    const memory = field("VmRSS");
    // One that has ended has none.
    if (field("Name") === "workerd" && field("PPid") === String(parent) && memory !== undefined) {
      return Number(memory) / 1024;
    }
  }
  throw new Error("no workerd of that process: this benchmark needs Linux");
}

/** Runs `work` and watches the memory meanwhile: MiB before it and at most. */
export async function watched(work: Promise<unknown>): Promise<{ before: number; peak: number }> {
  const before = await resident();
  let peak = before;
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  work.then(done, done);
  while (!isDone) {
    peak = Math.max(peak, await resident());
    await pause(50);
  }
  await work;
  return { before, peak };
}
