import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** What a Worker was uploaded with. */
interface Upload {
  readonly bindings: readonly Readonly<Record<string, unknown>>[];
}

/** An account at Cloudflare, as far as `wrangler deploy` looks at it. */
export interface Account {
  /** Names, with their jurisdictions. */
  readonly buckets: Map<string, string | undefined>;
  /** Titles of namespaces by their ids. */
  readonly namespaces: Map<string, string>;
  /** The Worker's uploads, oldest first. */
  readonly uploads: Upload[];
  crons: readonly { readonly cron: string }[];
  /** Domains of the Worker's own. */
  domains: readonly { readonly hostname: string }[];
}

/** Answers of the API that stand for errors. */
class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Route = readonly [
  method: string,
  path: RegExp,
  answer: (groups: readonly string[], request: IncomingMessage) => unknown,
];

const noWorker = () => new ApiError(404, 10007, "This Worker does not exist on your account.");

/** Cloudflare's API before an account that is empty at first; wrangler is pointed to it by CLOUDFLARE_API_BASE_URL. */
export async function startCloudflareApi(): Promise<{
  readonly url: string;
  readonly account: Account;
  close(): Promise<void>;
}> {
  const account: Account = { buckets: new Map(), namespaces: new Map(), uploads: [], crons: [], domains: [] };
  const routes = routesOf(account);
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "", "http://api").pathname.replace(
      /^\/client\/v4\/accounts\/[^/]+/,
      "",
    );
    let body: object;
    try {
      const result = await answer(routes, request, path);
      body = { success: true, errors: [], messages: [], result };
    } catch (error) {
      const { status, code, message } =
        error instanceof ApiError ? error : new ApiError(500, 1, `${request.method} ${path}: ${error}`);
      response.statusCode = status;
      body = { success: false, errors: [{ code, message }], messages: [], result: null };
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    account,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(routes: readonly Route[], request: IncomingMessage, path: string): Promise<unknown> {
  for (const [method, pattern, give] of routes) {
    const groups = method === request.method ? pattern.exec(path) : null;
    if (groups !== null) return give(groups.slice(1), request);
  }
  throw new ApiError(501, 1, `this account knows nothing of ${request.method} ${path}`);
}

function routesOf(account: Account): readonly Route[] {
  const { buckets, namespaces, uploads } = account;
  const worker = (result: unknown) => {
    if (uploads.length === 0) throw noWorker();
    return result;
  };
  return [
    [
      "GET",
      /^\/workers\/services\/skerry$/,
      () =>
        worker({
          id: "skerry",
          default_environment: { environment: "production", script: { last_deployed_from: "wrangler" } },
        }),
    ],
    ["GET", /^\/workers\/scripts\/skerry\/secrets$/, () => worker([])],
    ["GET", /^\/workers\/scripts\/skerry\/deployments$/, () => worker({ deployments: [] })],
    ["GET", /^\/workers\/scripts\/skerry\/settings$/, () => worker(uploads.at(-1))],
    ["GET", /^\/workers\/subdomain$/, () => ({ subdomain: "somebody" })],
    ["GET", /^\/r2\/buckets\/([^/]+)$/, ([name = ""], request) => bucketOf(account, name, request)],
    ["GET", /^\/r2\/buckets$/, () => ({ buckets: [...buckets.keys()].map((name) => ({ name })) })],
    [
      "POST",
      /^\/r2\/buckets$/,
      async (_, request) => {
        const { name } = (await json(request)) as { name: string };
        buckets.set(name, jurisdictionOf(request));
        return { name };
      },
    ],
    ["GET", /^\/storage\/kv\/namespaces$/, () => [...namespaces].map(([id, title]) => ({ id, title }))],
    [
      "POST",
      /^\/storage\/kv\/namespaces$/,
      async (_, request) => {
        const { title } = (await json(request)) as { title: string };
        const id = String(namespaces.size + 1).padStart(32, "0");
        namespaces.set(id, title);
        return { id, title };
      },
    ],
    // A new Worker is uploaded as a whole; an existing one gets a version, which is deployed then.
    ["PUT", /^\/workers\/scripts\/skerry$/, async (_, request) => uploaded(uploads, request)],
    ["POST", /^\/workers\/scripts\/skerry\/versions$/, async (_, request) => uploaded(uploads, request)],
    ["POST", /^\/workers\/scripts\/skerry\/deployments$/, () => ({ id: "d" })],
    ["PATCH", /^\/workers\/scripts\/skerry\/script-settings$/, () => ({})],
    ["GET", /^\/workers\/workers\/skerry$/, () => worker({ id: "skerry", subdomain: { enabled: false } })],
    ["PATCH", /^\/workers\/workers\/skerry$/, () => ({})],
    ["GET", /^\/workers\/scripts\/skerry\/subdomain$/, () => ({ enabled: true, previews_enabled: false })],
    ["POST", /^\/workers\/scripts\/skerry\/subdomain$/, () => ({ enabled: true, previews_enabled: false })],
    [
      "PUT",
      /^\/workers\/scripts\/skerry\/domains\/records$/,
      async (_, request) => {
        account.domains = ((await json(request)) as { readonly origins: Account["domains"] }).origins;
        return {};
      },
    ],
    [
      "PUT",
      /^\/workers\/scripts\/skerry\/schedules$/,
      async (_, request) => {
        account.crons = (await json(request)) as Account["crons"];
        return { schedules: account.crons };
      },
    ],
  ];
}

async function uploaded(uploads: Upload[], request: IncomingMessage): Promise<object> {
  uploads.push(await uploadOf(request));
  return { id: "skerry", resources: { script: {} }, startup_time_ms: 5 };
}

function bucketOf({ buckets }: Account, name: string, request: IncomingMessage): object {
  const jurisdiction = jurisdictionOf(request);
  if (!buckets.has(name) || buckets.get(name) !== jurisdiction)
    throw new ApiError(404, 10006, "The specified bucket does not exist.");
  return { name, jurisdiction };
}

/** Buckets of a jurisdiction are only to be seen by those who name it. */
function jurisdictionOf({ headers }: IncomingMessage): string | undefined {
  return headers["cf-r2-jurisdiction"]?.toString();
}

async function json(request: IncomingMessage): Promise<unknown> {
  return JSON.parse((await buffer(request)).toString());
}

/** The part of the form that tells the bindings. */
async function uploadOf(request: IncomingMessage): Promise<Upload> {
  const type = request.headers["content-type"] ?? "";
  const form = await new Response(await buffer(request), { headers: { "Content-Type": type } }).formData();
  return JSON.parse(String(form.get("metadata"))) as Upload;
}
