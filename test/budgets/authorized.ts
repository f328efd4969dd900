import { readConfig } from "../../src/config.ts";
import { basic, bearer, getToken, makeSigner, makeTestAccount } from "../auth/credentials.ts";
import { expectStatus, pushImage } from "../support/content.ts";
import { authorized, type Client, type TestRegistry } from "../support/registry.ts";
import type { Row } from "./row.ts";

/** Who sends the request of a row. */
interface Callers {
  /** Without credentials. */
  readonly stranger: Client;
  readonly account: string;
  readonly robot: string;
}

/** Closes the registry for all but an account and a robot. */
async function closed(world: TestRegistry): Promise<Callers> {
  const root = await makeTestAccount("root", { admin: true });
  const signer = await makeSigner();
  const variables = { ACCOUNTS: JSON.stringify([root.entry]), TOKEN_KEY: signer.secret };
  const stranger = world.client("stranger", readConfig(variables));
  const issued = await expectStatus(
    stranger.ask("POST /v2/_skerry/accounts", {
      headers: { Authorization: basic(root), "Content-Type": "application/json" },
      body: JSON.stringify({ name: "robot-ci", grants: { app: "pull,push" } }),
    }),
    201,
  );
  const robot = (await issued.json()) as { readonly name: string; readonly key: string };
  return { stranger, account: basic(root), robot: basic(robot) };
}

const scope = "repository:app:pull";

/** What it costs beside the request itself to know who asks. */
export const authorizedRows: readonly Row[] = [
  {
    request: "GET token, account of the configuration",
    budget: { A: 0, B: 0, kv: 0, rounds: 0 },
    status: 200,
    async prepare(_client, world) {
      const { stranger, account } = await closed(world);
      return () => authorized(stranger, account).ask(`GET /token?scope=${scope}`);
    },
  },
  {
    request: "GET token, robot",
    budget: { A: 0, B: 1, kv: 0, rounds: 1 },
    status: 200,
    async prepare(_client, world) {
      const { stranger, robot } = await closed(world);
      return () => authorized(stranger, robot).ask(`GET /token?scope=${scope}`);
    },
  },
  {
    request: "GET manifest by tag, KV right, with a token",
    budget: { A: 0, B: 1, kv: 1, rounds: 1 },
    status: 200,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      const { stranger, robot } = await closed(world);
      const token = await getToken(stranger, [scope], robot);
      return () => authorized(stranger, bearer(token)).ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, KV right, with an account's key",
    budget: { A: 0, B: 1, kv: 1, rounds: 1 },
    status: 200,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      const { stranger, account } = await closed(world);
      return () => authorized(stranger, account).ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, KV right, with a robot's key",
    budget: { A: 0, B: 2, kv: 1, rounds: 2 },
    status: 200,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      const { stranger, robot } = await closed(world);
      return () => authorized(stranger, robot).ask("GET /v2/app/manifests/1");
    },
  },
  {
    request: "GET manifest by tag, refused",
    budget: { A: 0, B: 0, kv: 0, rounds: 0 },
    status: 401,
    async prepare(client, world) {
      await pushImage(client, "app", "1", "a");
      const { stranger } = await closed(world);
      return () => stranger.ask("GET /v2/app/manifests/1");
    },
  },
];
