import { parse } from "yaml";
import { read } from "../docs/pages.ts";

/** The workflow of examples/github-actions.yml, as far as tests look at it. */
export interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

export function readWorkflow(): Workflow {
  return parse(read("examples/github-actions.yml")) as Workflow;
}

/** The scripts of the workflow's only job, by the names of their steps. */
export function scriptsOf({ jobs }: Workflow): ReadonlyMap<string, string> {
  const [job, ...others] = Object.values(jobs);
  if (job === undefined || others.length > 0) throw new Error("one job expected");
  return new Map(
    job.steps.flatMap(({ name = "", run }) => (run === undefined ? [] : [[name, run] as const])),
  );
}

/**
 * IDENTITY_ISSUERS as examples/identity-issuers.json has it, with other keys for GitHub's: tests sign with their own.
 */
export function issuersWith(jwks: object): string {
  const [github, ...others] = JSON.parse(read("examples/identity-issuers.json")) as readonly object[];
  return JSON.stringify([{ ...github, jwks }, ...others]);
}

/** Claims of a job that the example's rule lets push to `acme/app`. */
export const jobClaims: Readonly<Record<string, string>> = {
  sub: "repo:Acme/App:ref:refs/heads/main",
  repository: "Acme/App",
  repository_owner: "acme",
  ref: "refs/heads/main",
};
