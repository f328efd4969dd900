import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { Client } from "./registry-client.ts";
import { smokeChecks } from "./smoke/checks.ts";
import { lineOf, runChecks } from "./smoke/run.ts";
import { SmokeWorld } from "./smoke/world.ts";

const usage = `npm run smoke -- URL [options]    Push, pull and delete a small image at a registry, and tell what does not work.

  --repository NAME    where to push (skerry-smoke/ and six random characters)
  --body SIZE          also push a blob of this size in one body, such as 90M: what do host and plan let through?
  --help               this text

SKERRY_ACCOUNT and SKERRY_KEY say who asks: an account that may pull, push and delete there. Without them everything is
done without credentials. The exit status is 0 if all is well, 1 if a check failed, 2 if none could be made.`;

const units: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9 };
/** Bytes that are held in memory. */
const largest = 1e9;

/** @throws Error for what is no size up to a gigabyte. */
function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([KMG]?)B?$/i.exec(text) ?? [];
  const size = Math.round(Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN));
  if (digits === "" || !(size > 0 && size <= largest))
    throw new Error(`--body ${text}: a size up to 1G expected, such as 90M`);
  return size;
}

/** @throws Error for what is no address of a host. */
function parseOrigin(text: string | undefined): string {
  if (text === undefined) throw new Error("the URL of the registry is missing");
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/") {
    throw new Error(`${text}: a URL without a path expected, such as https://registry.example.com`);
  }
  return url.origin;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repository: { type: "string", default: `skerry-smoke/${randomBytes(3).toString("hex")}` },
      body: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const origin = parseOrigin(positionals[0]);
  const { SKERRY_ACCOUNT: name, SKERRY_KEY: password } = process.env;
  const credentials = name && password ? { name, password } : undefined;
  const client = new Client(origin, credentials);
  const stranger = credentials && new Client(origin);
  const world = new SmokeWorld({
    client,
    stranger,
    repository: values.repository,
    largestBody: values.body === undefined ? undefined : parseSize(values.body),
  });
  console.log(
    `${origin}, repository ${values.repository}, ${name ? `account ${name}` : "without credentials"}\n`,
  );
  const results = await runChecks(smokeChecks, world, (result) => console.log(lineOf(result)));
  for (const each of [client, stranger]) each?.close();
  const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
  console.log(`\n${count("ok")} ok, ${count("FAIL")} failed, ${count("–")} not tried`);
  return count("FAIL") > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
