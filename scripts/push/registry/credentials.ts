import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** What `docker login` or `podman login` left for a registry. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** The part of docker's config.json and of podman's auth.json that says who the user is. */
interface AuthFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** By which docker knows Docker Hub. */
const dockerHubServer = "https://index.docker.io/v1/";
/** What helpers give as a name when the secret is an identity token. */
const tokenName = "<token>";

/**
 * The credentials for a registry, from the first of these files that has any: `REGISTRY_AUTH_FILE`, docker's
 * config.json (in `DOCKER_CONFIG` or `~/.docker`), podman's auth.json (in `XDG_RUNTIME_DIR` or the configuration
 * folder). A repository's own entry, as podman writes it, comes before the host's.
 * @param host `host[:port]` as it stands in references.
 * @throws Error naming a file or a helper that cannot be read.
 */
export async function findCredentials(
  host: string,
  repository: string,
  environment: Environment = process.env,
): Promise<Credentials | undefined> {
  for (const path of authFiles(environment)) {
    const file = await readAuthFile(path);
    if (file === undefined) continue;
    const found = await credentialsIn(file, serversOf(host, repository), environment);
    if (found !== undefined) return found;
  }
  return undefined;
}

function authFiles(environment: Environment): readonly string[] {
  const {
    REGISTRY_AUTH_FILE,
    DOCKER_CONFIG,
    XDG_RUNTIME_DIR,
    XDG_CONFIG_HOME,
    HOME = homedir(),
  } = environment;
  return [
    ...(REGISTRY_AUTH_FILE ? [REGISTRY_AUTH_FILE] : []),
    join(DOCKER_CONFIG || join(HOME, ".docker"), "config.json"),
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, "containers", "auth.json")] : []),
    join(XDG_CONFIG_HOME || join(HOME, ".config"), "containers", "auth.json"),
  ];
}

async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
  try {
    return JSON.parse(json) as AuthFile;
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`);
  }
}

/** The names under which a registry may be found, the closest first. */
function serversOf(host: string, repository: string): readonly string[] {
  const parts = repository.split("/");
  const namespaces = parts.map((_, index) => `${host}/${parts.slice(0, parts.length - index).join("/")}`);
  return host === "docker.io"
    ? [...namespaces, dockerHubServer, "docker.io", "index.docker.io"]
    : [...namespaces, host];
}

async function credentialsIn(
  file: AuthFile,
  servers: readonly string[],
  environment: Environment,
): Promise<Credentials | undefined> {
  for (const server of servers) {
    const helper = file.credHelpers?.[server];
    if (helper !== undefined) return askHelper(helper, server, environment);
  }
  const entries = new Map(
    Object.entries(file.auths ?? {}).map(([server, entry]) => [withoutScheme(server), entry]),
  );
  for (const server of servers) {
    const entry = entries.get(withoutScheme(server));
    const credentials = entry === undefined ? undefined : credentialsOf(entry);
    if (credentials !== undefined) return credentials;
  }
  // A store has one entry for each host, and none for a repository.
  const host = servers.find((server) => server === dockerHubServer) ?? servers.at(-1);
  if (!file.credsStore || host === undefined) return undefined;
  return askHelper(file.credsStore, host, environment);
}

/** `docker login` has written `https://host` and `https://host/v1/` at times. */
function withoutScheme(server: string): string {
  return server
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
}

function credentialsOf({ auth, username, password, identitytoken }: AuthEntry): Credentials | undefined {
  if (identitytoken) return { identityToken: identitytoken };
  if (username && password) return { username, password };
  const decoded = Buffer.from(auth ?? "", "base64")
    .toString()
    .replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  return colon < 1 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** @throws Error with what the helper says, unless that is that it has none. */
async function askHelper(
  name: string,
  server: string,
  environment: Environment,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const child = spawn(program, ["get"], { env: { ...environment }, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Error(`${program}, which docker's configuration names: ${error.message}`)),
    );
    child.once("close", resolve);
  });
  child.stdin.on("error", () => {}).end(server);
  const [code, output] = await Promise.all([ended, text(child.stdout)]);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new Error(`${program}: ${output.trim() || `exit code ${code}`}`);
  }
  const { Username = "", Secret = "" } = JSON.parse(output) as { Username?: string; Secret?: string };
  if (Secret === "") return undefined;
  return Username === tokenName ? { identityToken: Secret } : { username: Username, password: Secret };
}
