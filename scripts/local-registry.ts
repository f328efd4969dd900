import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptionsShape } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { buildWorker, projectRoot } from "./build-worker.ts";

export interface LocalRegistryOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Address to listen on; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Directory of the state, as `wrangler dev --persist-to` takes it; `.wrangler/state` beside the configuration. */
  readonly persistTo?: string;
  /** Variables that win over those of wrangler.toml and `.dev.vars`. */
  readonly vars?: Readonly<Record<string, string>>;
  /** The wrangler.toml that names bindings and variables; the project's own unless given. */
  readonly config?: string;
  /** Directory into which `buildWorker` has built that configuration; built for this registry alone unless given. */
  readonly built?: string;
  /** Gets each message that the Worker logs, instead of the terminal. */
  readonly onLog?: ((message: string) => void) | undefined;
}

export interface LocalRegistry {
  /** Where the registry answers, without a trailing slash: `http://127.0.0.1:8787`. */
  readonly origin: string;
  readonly port: number;
  /** What `ANONYMOUS` is: `all` if nothing else set it and only this machine can connect; empty if unset. */
  readonly anonymous: string;
  readonly persistTo: string;
  /** A queue of the simulator, by the name of a producer's binding in the configuration. */
  queue(binding: string): Promise<Queue>;
  /** Ends workerd; requests in flight are cut. */
  stop(): Promise<void>;
}

/**
 * Runs the Worker that `wrangler deploy` would upload on workerd, with its R2 and KV on disk where
 * `wrangler dev` keeps them (so `wrangler r2 object get --local` sees them).
 *
 * This is not `wrangler dev`, because that relays every body through a second Worker, which costs four fifths of
 * the requests per second, rewrites Location, and lets a custom-domain route of wrangler.toml replace the
 * address the client asked for.
 * @throws Error if the Worker does not build, the port is taken, or `GET /v2/` is answered by a 5xx.
 */
export async function startLocalRegistry(options: LocalRegistryOptions = {}): Promise<LocalRegistry> {
  const config = options.config ?? join(projectRoot, "wrangler.toml");
  const host = options.host ?? "127.0.0.1";
  const persistTo = options.persistTo ?? join(dirname(config), ".wrangler/state");
  const { onLog } = options;

  const build = options.built ?? (await mkdtemp(join(tmpdir(), "skerry-worker-")));
  const removeBuild = () => {
    if (options.built === undefined) rmSync(build, { recursive: true, force: true });
  };
  process.once("exit", removeBuild);
  try {
    if (options.built === undefined) await buildWorker(build, config);
    const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
    const { modulesRules: _, ...worker }: V4WorkerOptionsShape = workerOptions;
    const bindings = { ...defaultVars(host), ...worker.bindings, ...options.vars };
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host,
        port: options.port ?? 0,
        cf: false,
        log: new Log(LogLevel.WARN),
        logRequests: false,
        ...(onLog && { handleStructuredLogs: ({ message }) => onLog(message) }),
        unsafeTriggerHandlers: true,
        resourcePersistencePath: join(persistTo, "v3"),
        workers: [
          { ...worker, bindings, modules: true, modulesRoot: build, scriptPath: join(build, "index.js") },
        ],
      }),
    );
    const stop = async () => {
      await miniflare.dispose();
      process.removeListener("exit", removeBuild);
      removeBuild();
    };
    const { origin, port } = await miniflare.ready;
    await expectAnswer(`${origin}/v2/`).catch(async (error) => {
      await stop();
      throw error;
    });
    return {
      origin,
      port: Number(port),
      anonymous: String(bindings.ANONYMOUS ?? ""),
      persistTo,
      queue: (binding) => miniflare.getQueueProducer(binding),
      stop,
    };
  } catch (error) {
    removeBuild();
    throw error;
  }
}

/**
 * A deployed registry is closed until told otherwise, and logs every request; one that only this machine reaches
 * is open, and one that runs in a terminal is quiet.
 */
function defaultVars(host: string): Record<string, string> {
  const isOpen = host === "localhost" || host === "::1" || host.startsWith("127.");
  return { LOG: "errors", ...(isOpen && { ANONYMOUS: "all" }) };
}

async function expectAnswer(url: string): Promise<void> {
  const response = await fetch(url);
  const body = await response.text();
  if (response.status >= 500) throw new Error(`GET ${url} answered ${response.status}:\n${body}`);
}
