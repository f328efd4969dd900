import { LoginRefused } from "../registry-client.ts";
import { Failure, loginHint } from "./diagnosis.ts";
import type { SmokeWorld } from "./world.ts";

/** Why a check cannot be made. */
export class NotTried extends Error {}

/** Something that a registry must do. */
export interface Check {
  readonly name: string;
  /** Names of the checks without which this one makes no sense. */
  readonly after?: readonly string[];
  /**
   * @returns what is worth telling.
   * @throws Failure, or NotTried.
   */
  run(world: SmokeWorld): Promise<string | undefined>;
}

export interface Result {
  readonly name: string;
  readonly outcome: "ok" | "FAIL" | "–";
  readonly detail: string;
  readonly hint?: string | undefined;
}

/** Makes the checks one after the other. @param show is given each result as it is there. */
export async function runChecks(
  checks: readonly Check[],
  world: SmokeWorld,
  show: (result: Result) => void,
): Promise<readonly Result[]> {
  const results = new Map<string, Result>();
  for (const check of checks) {
    const missing = check.after?.find((name) => results.get(name)?.outcome !== "ok");
    const result: Result =
      missing === undefined
        ? await runCheck(check, world)
        : { name: check.name, outcome: "–", detail: `not without: ${missing}` };
    results.set(check.name, result);
    show(result);
  }
  return [...results.values()];
}

async function runCheck({ name, run }: Check, world: SmokeWorld): Promise<Result> {
  const started = performance.now();
  try {
    const told = await run(world);
    const took = `${Math.round(performance.now() - started)} ms`;
    return { name, outcome: "ok", detail: told === undefined ? took : `${told}, ${took}` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof NotTried) return { name, outcome: "–", detail };
    return { name, outcome: "FAIL", detail, hint: hintOf(error) };
  }
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof Failure) return error.hint;
  if (error instanceof LoginRefused) return loginHint;
  // Failures of the network say little, their codes more.
  if (!(error instanceof Error && "code" in error)) return undefined;
  if (error.code === "ECONNRESET" || error.code === "EPIPE")
    return "the connection was cut: something on the way limits what it lets through";
  return `is the host right? (${error.code})`;
}

/** One result as lines of the table. */
export function lineOf({ name, outcome, detail, hint }: Result): string {
  const line = `${outcome.padEnd(5)} ${name.padEnd(32)} ${detail}`;
  return hint === undefined ? line : `${line}\n${" ".repeat(6)}-> ${hint}`;
}
