import { parseArgs } from "node:util";
import { registryOption, send, type Target, targetOf } from "./admin-api.ts";
import type { Command } from "./command.ts";
import { readGrants } from "./grants.ts";

interface Robot {
  readonly name: string;
  readonly state: string;
  readonly grants?: Readonly<Record<string, string>>;
  readonly expiresAt?: string;
}

async function* robots(target: Target): AsyncGenerator<Robot> {
  for (let path: string | undefined = "/v2/_skerry/accounts"; path !== undefined; ) {
    const response: Response = await send(target, "GET", path);
    yield* ((await response.json()) as { readonly accounts: readonly Robot[] }).accounts;
    path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("Link") ?? "")?.[1];
  }
}

function describe({ name, state, grants = {}, expiresAt }: Robot): string {
  const rights = Object.entries(grants).map(([pattern, actions]) => `${pattern}=${actions}`);
  return [name, state, ...rights, ...(expiresAt === undefined ? [] : [`until ${expiresAt}`])].join("  ");
}

export const accountsCommand: Command = {
  usage: `accounts list               List the robots of a registry
accounts issue robot-NAME   Make a robot and print its key
    --grant PATTERN=ACTIONS what it may do: pull, push, delete; may be repeated
    --expires TIME          its end, such as 2030-01-31T12:00:00Z
accounts rotate robot-NAME  Give it another key and print that; the one before ends at once
accounts revoke robot-NAME  Revoke it
    --registry URL          the registry, for all of these; SKERRY_ACCOUNT and SKERRY_KEY say who asks`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...registryOption,
        grant: { type: "string", multiple: true, default: [] },
        expires: { type: "string" },
      },
    });
    const [action, name] = positionals;
    const target = targetOf(values.registry);
    if (action === "list") {
      for await (const robot of robots(target)) console.log(describe(robot));
      return;
    }
    if (name === undefined) throw new Error("the name of a robot is missing");
    const path = `/v2/_skerry/accounts/${encodeURIComponent(name)}`;
    if (action === "issue") {
      const body = { name, grants: readGrants(values.grant), expiresAt: values.expires };
      console.log(await keyOf(send(target, "POST", "/v2/_skerry/accounts", body)));
    } else if (action === "rotate") {
      console.log(await keyOf(send(target, "POST", `${path}/rotate`)));
    } else if (action === "revoke") {
      await send(target, "DELETE", path);
      console.log(`${name} is revoked; tokens that it has got end within five minutes`);
    } else {
      throw new Error("list, issue, rotate or revoke expected");
    }
  },
};

async function keyOf(answer: Promise<Response>): Promise<string> {
  return ((await (await answer).json()) as { readonly key: string }).key;
}
