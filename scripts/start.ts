import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type LocalRegistry, startLocalRegistry } from "./local-registry.ts";

const usage = `npm start -- [options]    Run the registry on this machine.

  --port N             port to listen on, 0 for a free one (8787)
  --ip ADDRESS         address to listen on (127.0.0.1)
  --persist-to DIR     where blobs, manifests and tags are kept (.wrangler/state)
  --var KEY:VALUE      set a variable of docs/configuration.md; may be repeated
  --config FILE        another wrangler.toml
  --help               this text`;

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new Error(`--port ${text}: a number up to 65535 expected`);
  return port;
}

function parseVar(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new Error(`--var ${text}: KEY:VALUE expected`);
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function greeting(registry: LocalRegistry): string {
  const origin = registry.origin.replace("//127.0.0.1:", "//localhost:");
  const image = `${new URL(origin).host}/demo/busybox:1`;
  const access =
    registry.anonymous === "all"
      ? "open: anyone who reaches this port may push, pull and delete (ANONYMOUS=all)"
      : `ANONYMOUS is ${registry.anonymous || "not set: nobody gets in without logging in"}`;
  return [
    `Skerry answers at ${origin}`,
    `  state   ${relative(process.cwd(), registry.persistTo) || "."}`,
    `  access  ${access}`,
    "Try:",
    `  docker pull busybox && docker tag busybox ${image} && docker push ${image}`,
    `  docker pull ${image}`,
  ].join("\n");
}

/** npm hands a signal to the shell that it runs this in; the shell dies of it and tells nobody. */
function stopWithShell(): void {
  const shell = process.ppid;
  setInterval(() => {
    if (process.ppid !== shell) process.exit(0);
  }, 250).unref();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8787" },
      ip: { type: "string", default: "127.0.0.1" },
      "persist-to": { type: "string" },
      var: { type: "string", multiple: true, default: [] },
      config: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usage);
  const registry = await startLocalRegistry({
    port: parsePort(values.port),
    host: values.ip,
    vars: Object.fromEntries(values.var.map(parseVar)),
    ...(values["persist-to"] !== undefined && { persistTo: resolve(values["persist-to"]) }),
    ...(values.config !== undefined && { config: resolve(values.config) }),
  });
  console.log(greeting(registry));
}

// workerd is ended and the build removed by handlers of the "exit" event.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(0));

if (process.env.npm_lifecycle_event === "start") stopWithShell();

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
