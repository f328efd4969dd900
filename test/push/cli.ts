import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { projectRoot } from "../../scripts/build-worker.ts";

/** A run of `skerry` in a process of its own. */
export interface CliRun {
  /** Kills it as nothing can be caught: SIGKILL. */
  kill(): void;
  /** Interrupts it, as Ctrl-C does: SIGINT. */
  interrupt(): void;
  readonly ended: Promise<CliOutcome>;
}

export interface CliOutcome {
  /** The exit status, or null if it was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Its largest resident memory in MiB, as far as it was seen. */
  readonly peak: number;
}

/** Milliseconds between two looks at the memory. */
const lookEvery = 100;

/**
 * Starts `skerry` with its state, cache and credentials below `home`.
 * @param input is written to its standard input.
 */
export function startCli(args: readonly string[], home: string, input?: Uint8Array): CliRun {
  const env = {
    ...process.env,
    HOME: home,
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
    DOCKER_CONFIG: join(home, "docker"),
  };
  const script = join(projectRoot, "scripts", "skerry.ts");
  const child = spawn(process.execPath, [script, ...args], { env, stdio: "pipe" });
  child.stdin.on("error", () => {}).end(input);
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid) ?? 0);
  }, lookEvery);
  const ended = (async () => {
    const [[status], stdout, stderr] = await Promise.all([
      once(child, "close") as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    clearInterval(timer);
    return { status, stdout, stderr, peak };
  })();
  return {
    kill: () => void child.kill("SIGKILL"),
    interrupt: () => void child.kill("SIGINT"),
    ended,
  };
}

/** What Linux has noted as the largest resident memory of a process, in MiB. */
function peakOf(pid: number | undefined): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    // It has ended, or this is not Linux.
    return undefined;
  }
}
