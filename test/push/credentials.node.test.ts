import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findCredentials } from "../../scripts/push/registry/credentials.ts";

let home: string;
const host = "registry.example:5000";
const auth = (name: string, password: string) => ({
  auth: Buffer.from(`${name}:${password}`).toString("base64"),
});

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "skerry-credentials-"));
});

afterEach(() => rm(home, { recursive: true }));

async function write(path: string, content: unknown, mode = 0o600): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
  return file;
}

const dockerConfig = (content: unknown) => write(".docker/config.json", content);

function find(of = host, environment: Readonly<Record<string, string>> = {}) {
  const path = `${join(home, "bin")}:${process.env.PATH}`;
  return findCredentials(of, "team/app", { HOME: home, PATH: path, ...environment });
}

/** A helper that knows these secrets by server. */
async function helper(name: string, secrets: Readonly<Record<string, object>>): Promise<void> {
  const cases = Object.entries(secrets).map(
    ([server, secret]) => `${server}) echo '${JSON.stringify(secret)}';;`,
  );
  const script = `#!/bin/sh
read -r server
[ "$1" = get ] || exit 2
case "$server" in
${cases.join("\n")}
*) echo "credentials not found in native keychain"; exit 1;;
esac
`;
  await write(`bin/docker-credential-${name}`, script, 0o755);
}

it("are none where nobody has logged in", async () => {
  expect(await find()).toBeUndefined();
  await dockerConfig({ auths: { "other.example": auth("a", "b") } });
  expect(await find()).toBeUndefined();
});

it.each([host, `https://${host}`, `https://${host}/v2/`, `${host}/`])(
  "are found in docker's configuration under %s",
  async (server) => {
    await dockerConfig({ auths: { [server]: auth("ci", "pass:word") } });
    expect(await find()).toEqual({ username: "ci", password: "pass:word" });
  },
);

it("of Docker Hub are found under its old address", async () => {
  await dockerConfig({ auths: { "https://index.docker.io/v1/": auth("hub", "secret") } });
  expect(await find("docker.io")).toEqual({ username: "hub", password: "secret" });
});

it("may be an identity token", async () => {
  await dockerConfig({ auths: { [host]: { auth: "", identitytoken: "token" } } });
  expect(await find()).toEqual({ identityToken: "token" });
});

it("are looked for in DOCKER_CONFIG instead, and in podman's files after docker's", async () => {
  await write("elsewhere/config.json", { auths: { [host]: auth("elsewhere", "1") } });
  await write("run/containers/auth.json", { auths: { [host]: auth("podman", "2") } });
  await write(".config/containers/auth.json", { auths: { [host]: auth("configured", "3") } });
  const named = await write("named.json", { auths: { [host]: auth("named", "4") } });
  const runtime = { XDG_RUNTIME_DIR: join(home, "run") };
  expect(await find()).toMatchObject({ username: "configured" });
  expect(await find(host, runtime)).toMatchObject({ username: "podman" });
  expect(await find(host, { ...runtime, DOCKER_CONFIG: join(home, "elsewhere") })).toMatchObject({
    username: "elsewhere",
  });
  expect(await find(host, { ...runtime, REGISTRY_AUTH_FILE: named })).toMatchObject({ username: "named" });
});

it("of the repository come before those of the host", async () => {
  await write(".config/containers/auth.json", {
    auths: { [host]: auth("host", "1"), [`${host}/team`]: auth("team", "2") },
  });
  expect(await find()).toMatchObject({ username: "team" });
});

it("come from the helper for the host, and from the store for all others", async () => {
  await helper("special", { [host]: { Username: "helped", Secret: "1" } });
  await helper("store", {
    "stored.example": { Username: "stored", Secret: "2" },
    "token.example": { Username: "<token>", Secret: "identity" },
  });
  await dockerConfig({ auths: { [host]: {} }, credHelpers: { [host]: "special" }, credsStore: "store" });
  expect(await find()).toEqual({ username: "helped", password: "1" });
  expect(await find("stored.example")).toEqual({ username: "stored", password: "2" });
  expect(await find("token.example")).toEqual({ identityToken: "identity" });
  expect(await find("unknown.example")).toBeUndefined();
});

it("that cannot be read are an error with the name of what is wrong", async () => {
  await dockerConfig({ credsStore: "absent" });
  await expect(find()).rejects.toThrow("docker-credential-absent, which docker's configuration names");
  await write("bin/docker-credential-broken", "#!/bin/sh\necho the keychain is locked\nexit 1\n", 0o755);
  await dockerConfig({ credsStore: "broken" });
  await expect(find()).rejects.toThrow("docker-credential-broken: the keychain is locked");
  const file = await dockerConfig("{");
  await expect(find()).rejects.toThrow(`${file} is no JSON`);
});
