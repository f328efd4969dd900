import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse as parseToml } from "smol-toml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { buildWorker, projectRoot } from "../../scripts/build-worker.ts";
import { makeTokenKey } from "../../scripts/commands/key.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { Client } from "../../scripts/registry-client.ts";
import { smokeChecks } from "../../scripts/smoke/checks.ts";
import { runChecks } from "../../scripts/smoke/run.ts";
import { SmokeWorld } from "../../scripts/smoke/world.ts";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/settings.ts";
import { complaintsAbout } from "../docs/blocks.ts";
import { blocksOf, read } from "../docs/pages.ts";
import { type IdentityIssuer, startIdentityIssuer } from "../support/identity-issuer.ts";
import { issuersWith, jobClaims, readWorkflow, scriptsOf } from "./workflow.ts";

/** Complaints about a script of an example. */
function complaints(page: string, scripts: Iterable<string>): Promise<readonly (readonly string[])[]> {
  const shell = { at: `${page}:1`, page, language: "sh", label: "" };
  return Promise.all([...scripts].map((text) => complaintsAbout({ ...shell, text })));
}

type Toml = Readonly<Record<string, unknown>>;

/** Builds with a configuration. @returns what it says. */
async function built(file: string): Promise<Toml> {
  const folder = await mkdtemp(join(tmpdir(), "skerry-example-"));
  try {
    expect(await buildWorker(folder, join(projectRoot, file))).not.toContain("WARNING");
  } finally {
    await rm(folder, { recursive: true });
  }
  const config = parseToml(read(file));
  readConfig((config.vars ?? {}) as Toml);
  return config;
}

/** What is asserted of each file of examples/. */
const checks: Readonly<Record<string, (file: string) => Promise<void>>> = {
  "github-actions.yml": async (file) => {
    const workflow = readWorkflow();
    expect(workflow.permissions["id-token"]).toBe("write");
    expect(await complaints(file, scriptsOf(workflow).values())).toEqual([[], [], []]);
  },
  "gitlab-ci.yml": async (file) => {
    const { push } = parse(read(file));
    expect(push.id_tokens.IDENTITY_TOKEN.aud).toBe(gitlab()?.audience);
    expect(push.script.join("\n")).toContain("$IDENTITY_TOKEN");
    expect(await complaints(file, push.script)).toEqual([[], [], []]);
  },
  "identity-issuers.json": async (file) => {
    const text = read(file);
    expect(readConfig({ IDENTITY_ISSUERS: text }).identityIssuers).toHaveLength(2);
    const shown = blocksOf("docs/security.md").find(({ label }) => label === "IDENTITY_ISSUERS");
    expect(JSON.parse(shown?.text ?? "")).toEqual(JSON.parse(text).slice(0, 1));
  },
  "kubernetes.yml": async (file) => {
    const [secret, account, pod] = parseAllDocuments(read(file)).map((document) => document.toJS());
    expect(secret.type).toBe("kubernetes.io/dockerconfigjson");
    const { auths } = JSON.parse(secret.stringData[".dockerconfigjson"]);
    const [[host = "", { username = "", password = "" } = {}] = []] =
      Object.entries<Record<string, string>>(auths);
    expect(pod.spec.containers[0].image).toMatch(new RegExp(`^${host}/`));
    expect(account.imagePullSecrets).toEqual([{ name: secret.metadata.name }]);
    expect([username, password]).toEqual(["robot-cluster", "skerry_…"]);
    const [, command = ""] = /^# (npm .*)$/m.exec(read(file)) ?? [];
    expect(await complaints(file, [command])).toEqual([[]]);
  },
  "events.toml": async (file) => {
    const { queues, analytics_engine_datasets, ...others } = await built(file);
    expect(others).toEqual({ ...parseToml(read("wrangler.toml")), main: "../src/index.ts" });
    expect(analytics_engine_datasets).toMatchObject([{ binding: "METRICS" }]);
    expect(queues).toMatchObject({
      producers: [{ binding: "EVENTS", queue: "skerry-events" }],
      consumers: [{ queue: "skerry-events", dead_letter_queue: "skerry-events-dead" }],
    });
  },
  "imports.toml": async (file) => {
    const { queues, vars, ...others } = await built(file);
    expect(others).toEqual({ ...parseToml(read("wrangler.toml")), main: "../src/index.ts" });
    expect(vars).toMatchObject({ UPSTREAMS: expect.stringContaining("ghcr.io") });
    expect(queues).toMatchObject({
      producers: [{ binding: "IMPORTS", queue: "skerry-imports" }],
      consumers: [{ queue: "skerry-imports", max_batch_size: 1 }],
    });
  },
  "production.toml": async (file) => {
    const ours = parseToml(read("wrangler.toml"));
    const theirs = await built(file);
    for (const key of [
      "compatibility_date",
      "minify",
      "keep_names",
      "triggers",
      "observability",
      "ratelimits",
    ])
      expect(theirs[key], key).toEqual(ours[key]);
  },
  "remote.toml": async (file) => {
    const { r2_buckets, kv_namespaces } = await built(file);
    expect(r2_buckets).toMatchObject([{ binding: "BUCKET", remote: true }]);
    expect(kv_namespaces).toMatchObject([{ binding: "TAGS", remote: true }]);
  },
};

function gitlab() {
  const { identityIssuers } = readConfig({ IDENTITY_ISSUERS: read("examples/identity-issuers.json") });
  return identityIssuers.find(({ issuer }) => issuer === "https://gitlab.com");
}

describe("examples", () => {
  // wrangler keeps its own files beside a configuration.
  const files = readdirSync(join(projectRoot, "examples")).filter((file) => file !== ".wrangler");

  it.each(files)("%s is in order", async (file) => {
    expect(checks, "a file of examples/ that no test knows").toHaveProperty([file]);
    await checks[file]?.(`examples/${file}`);
  });
});

describe("the deploy button", () => {
  it("asks for secrets whose given values leave the registry closed", () => {
    const asked = parseEnv(read(".dev.vars.example"));
    expect(Object.keys(asked).filter((name) => !Object.hasOwn(settings, name))).toEqual([]);
    expect(readConfig(asked)).toMatchObject({ anonymous: "none", accounts: new Map() });
  });

  it("describes bindings and secrets that there are, and all of them", () => {
    const { cloudflare } = JSON.parse(read("package.json"));
    const config = parseToml(read("wrangler.toml"));
    const bindings = Object.values(config).flatMap((value) =>
      Array.isArray(value) ? value.map((each) => (each as Toml).binding ?? (each as Toml).name) : [],
    );
    const asked = [...bindings, ...Object.keys(parseEnv(read(".dev.vars.example")))];
    expect(Object.keys(cloudflare.bindings).sort()).toEqual(asked.sort());
  });
});

describe("pushing without a key, as examples/github-actions.yml does", () => {
  let folder: string;
  let registry: LocalRegistry;
  let issuer: IdentityIssuer;
  let claims = jobClaims;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skerry-keyless-"));
    issuer = await startIdentityIssuer(() => claims);
    registry = await startLocalRegistry({
      persistTo: folder,
      vars: {
        ANONYMOUS: "none",
        IDENTITY_ISSUERS: issuersWith(issuer.jwks),
        TOKEN_KEY: await makeTokenKey(),
      },
    });
  });

  afterAll(async () => {
    await registry.stop();
    await issuer.close();
    await rm(folder, { recursive: true });
  });

  /** What the step that logs in asks for. */
  async function identityToken({ env }: IdentityIssuer): Promise<string> {
    const script = scriptsOf(readWorkflow()).get("Log in as this job") ?? "";
    const [, query = ""] = /\$ACTIONS_ID_TOKEN_REQUEST_URL(&audience=[^"]+)"/.exec(script) ?? [];
    const headers = { Authorization: `bearer ${env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` };
    const answer = await fetch(env.ACTIONS_ID_TOKEN_REQUEST_URL + query, { headers });
    return ((await answer.json()) as { readonly value: string }).value;
  }

  /** Names of the smoke test's checks that the holder of a token does not pass in a repository. */
  async function failing(password: string, repository: string): Promise<readonly string[]> {
    const client = new Client(registry.origin, { name: "oidc", password });
    const stranger = new Client(registry.origin);
    const world = new SmokeWorld({ client, stranger, repository, largestBody: undefined });
    const results = await runChecks(smokeChecks, world, () => undefined);
    for (const each of [client, stranger]) each.close();
    return results.filter(({ outcome }) => outcome === "FAIL").map(({ name }) => name);
  }

  it("pushes and pulls in the job's own repository; deleting is not granted", async () => {
    expect(await failing(await identityToken(issuer), "acme/app")).toEqual([
      "delete",
      "leaves nothing behind",
    ]);
  });

  it("pushes nowhere else", async () => {
    expect(await failing(await identityToken(issuer), "acme/other")).toContain("push");
  });

  it.each([{ ref: "refs/heads/attack" }, { repository_owner: "mallory" }])(
    "lets no job in with %o",
    async (other) => {
      claims = { ...jobClaims, ...other };
      expect(await failing(await identityToken(issuer), "acme/app")).toEqual(["answers"]);
    },
  );

  it("lets no job of another issuer in", async () => {
    const theirs = await startIdentityIssuer(() => jobClaims);
    expect(await failing(await identityToken(theirs), "acme/app")).toEqual(["answers"]);
    await theirs.close();
  });
});
