import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

export interface RunOptions {
  /** Seconds after which the command and all its children are killed; 60 unless told. */
  readonly timeout?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the command reads from its standard input, which is empty unless told. */
  readonly input?: string;
  /** Run in mount and process namespaces of its own: its mounts and left-over children end with it. */
  readonly isolated?: boolean;
}

export interface StartOptions extends Omit<RunOptions, "timeout" | "input"> {
  /** Called again and again with all the output so far until it answers true. */
  readonly ready: (output: string) => boolean | Promise<boolean>;
  /** Seconds within which `ready` must have answered true; 60 unless told. */
  readonly timeout?: number;
}

/** A program that was started and runs until `stop`. */
export interface Background {
  readonly pid: number;
  /** SIGTERM, then SIGKILL to its process group if it has not ended after ten seconds. */
  stop(): Promise<void>;
  /** SIGKILL to its process group, as a machine that dies. */
  kill(): Promise<void>;
}

/** A command that failed, with the end of what it wrote. */
export class CommandError extends Error {
  constructor(command: readonly string[], outcome: string, output: string) {
    super(`${command.join(" ")}: ${outcome}\n${output.trim().slice(-2000)}`);
    this.name = "CommandError";
  }
}

const isolation = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];

/** Starts and ends child processes; all of them are killed once `interruption` is aborted. */
export class Processes {
  readonly #interruption: AbortSignal;

  constructor(interruption: AbortSignal) {
    this.#interruption = interruption;
  }

  /** @throws the reason of the interruption, once there is one. */
  throwIfInterrupted(): void {
    this.#interruption.throwIfAborted();
  }

  /**
   * Runs a command to its end and returns its standard output.
   * @throws CommandError for an exit code other than 0, for a time-out and for an interruption.
   */
  async run(command: readonly string[], options: RunOptions = {}): Promise<string> {
    this.throwIfInterrupted();
    const child = spawnGroup(command, options);
    let stdout = "";
    let output = "";
    child.stdout?.on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr?.on("data", (text: string) => {
      output += text;
    });
    const seconds = options.timeout ?? 60;
    const limit = AbortSignal.any([this.#interruption, AbortSignal.timeout(seconds * 1000)]);
    const kill = () => signalGroup(child, "SIGKILL");
    limit.addEventListener("abort", kill, { once: true });
    try {
      child.stdin?.on("error", () => {}).end(options.input ?? "");
      const [code] = await once(child, "close");
      this.throwIfInterrupted();
      if (limit.aborted) throw new CommandError(command, `killed after ${seconds} s`, output);
      if (code !== 0) throw new CommandError(command, `exit code ${code}`, output);
      return stdout;
    } finally {
      limit.removeEventListener("abort", kill);
    }
  }

  /**
   * Starts a program and waits until it is ready.
   * @throws CommandError when it ends or is not ready in time; it is stopped then.
   */
  async start(command: readonly string[], options: StartOptions): Promise<Background> {
    this.throwIfInterrupted();
    const child = spawnGroup(command, options);
    let output = "";
    child.stdout?.on("data", (text: string) => {
      output = (output + text).slice(-100_000);
    });
    child.stderr?.on("data", (text: string) => {
      output = (output + text).slice(-100_000);
    });
    child.once("error", (error) => {
      output += error.message;
    });
    const deadline = Date.now() + (options.timeout ?? 60) * 1000;
    while (!(await options.ready(output))) {
      const ended = hasEnded(child);
      if (ended || Date.now() > deadline || this.#interruption.aborted) {
        await stopGroup(child);
        throw new CommandError(command, ended ? "ended before it was ready" : "not ready in time", output);
      }
      await delay(100);
    }
    return { pid: child.pid as number, stop: () => stopGroup(child), kill: () => killGroup(child) };
  }
}

function spawnGroup(command: readonly string[], options: Omit<RunOptions, "timeout">): ChildProcess {
  const [program = "", ...args] = options.isolated ? [...isolation, ...command] : command;
  const child = spawn(program, args, {
    detached: true,
    stdio: "pipe",
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  child.stdout?.setEncoding("utf8");
  child.stderr?.setEncoding("utf8");
  return child;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** `detached` made the child the leader of its own process group, so the negative id reaches its children. */
function signalGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (hasEnded(child)) return;
  try {
    process.kill(-(child.pid as number), signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, "exit");
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), 10_000);
  await exit;
  clearTimeout(timer);
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, "exit");
  signalGroup(child, "SIGKILL");
  await exit;
}
