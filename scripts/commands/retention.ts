import { parseArgs } from "node:util";
import { registryOption, registryUsage, send, type Target, targetOf } from "./admin-api.ts";
import type { Command } from "./command.ts";

interface Verdicts {
  readonly tags: readonly { readonly tag: string; readonly keeps: boolean; readonly because: string }[];
}

export const retentionCommand: Command = {
  usage: `retention                   Tell what RETENTION keeps and drops, tag by tag, and why; change nothing
    --repository NAME       of this repository alone
    --dropped               only what would go
${registryUsage}`,

  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...registryOption,
        repository: { type: "string" },
        dropped: { type: "boolean", default: false },
      },
    });
    const target = targetOf(values.registry);
    const names = values.repository === undefined ? repositories(target) : [values.repository];
    for await (const name of names) await printVerdicts(target, name, values.dropped);
  },
};

async function printVerdicts(target: Target, name: string, onlyDropped: boolean): Promise<void> {
  for await (const { tags } of pagesOf<Verdicts>(target, `/v2/${name}/_skerry/retention`)) {
    for (const { tag, keeps, because } of tags) {
      if (keeps && onlyDropped) continue;
      console.log(`${keeps ? "keep" : "drop"} ${name}:${tag}  ${because}`);
    }
  }
}

async function* repositories(target: Target): AsyncGenerator<string> {
  const pages = pagesOf<{ readonly repositories: readonly string[] }>(target, "/v2/_catalog?n=100");
  for await (const page of pages) yield* page.repositories;
}

/** A listing, page by page (RFC 8288). */
async function* pagesOf<Page>(target: Target, first: string): AsyncGenerator<Page> {
  for (let path: string | undefined = first; path !== undefined; ) {
    const answer = await send(target, "GET", path);
    yield (await answer.json()) as Page;
    path = /<([^>]+)>/.exec(answer.headers.get("Link") ?? "")?.[1];
  }
}
