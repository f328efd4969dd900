import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { readConfig } from "../../src/config.ts";
import { read } from "../docs/pages.ts";
import { startCloudflareApi } from "./cloudflare-api.ts";

let api: Awaited<ReturnType<typeof startCloudflareApi>>;

beforeEach(async () => {
  api = await startCloudflareApi();
});

afterEach(() => api.close());

/** Runs what `npm run deploy` runs, where nobody can be asked anything. */
async function deploy(...more: readonly string[]): Promise<string> {
  const { scripts } = JSON.parse(read("package.json")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const [program, ...args] = scripts.deploy?.split(" ") ?? [];
  expect(program).toBe("wrangler");
  const child = spawn(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args, ...more], {
    cwd: projectRoot,
    env: {
      ...process.env,
      CLOUDFLARE_API_BASE_URL: api.url,
      CLOUDFLARE_API_TOKEN: "nobody checks it",
      CLOUDFLARE_ACCOUNT_ID: "1".padStart(32, "0"),
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      NO_COLOR: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  expect(status, output + errors).toBe(0);
  return output;
}

/** What the Worker gets as that binding. */
function binding(name: string): Readonly<Record<string, unknown>> | undefined {
  return api.account.uploads.at(-1)?.bindings.find((each) => each.name === name);
}

describe("npm run deploy", () => {
  it("makes what an empty account lacks, with no id to copy, and finds it again", async () => {
    const config = read("wrangler.toml");
    const { account } = api;
    expect(await deploy()).toContain("https://skerry.somebody.workers.dev");
    expect([...account.buckets.keys()]).toEqual(["skerry"]);
    const [[id, title] = []] = [...account.namespaces];
    expect(title).toBe("skerry-tags");
    expect(binding("BUCKET")).toMatchObject({ type: "r2_bucket", bucket_name: "skerry" });
    expect(binding("TAGS")).toMatchObject({ type: "kv_namespace", namespace_id: id });
    expect(binding("RL")).toMatchObject({ type: "ratelimit" });
    expect(account.crons).toEqual([{ cron: "7 * * * *" }]);

    await deploy();
    expect(account.uploads).toHaveLength(2);
    expect([...account.buckets.keys()]).toEqual(["skerry"]);
    expect(account.namespaces.size).toBe(1);
    expect(binding("TAGS")).toMatchObject({ type: "inherit" });
    expect(read("wrangler.toml")).toBe(config);
  });

  it("takes the bucket that was made before, where its owner wants it", async () => {
    api.account.buckets.set("skerry", undefined);
    expect(await deploy()).not.toContain("Creating new R2 Bucket");
    expect([...api.account.buckets.keys()]).toEqual(["skerry"]);
  });

  it("of examples/production.toml makes a bucket of its jurisdiction, and takes the domain", async () => {
    await deploy("--config", "examples/production.toml");
    const { account } = api;
    expect([...account.buckets]).toEqual([["registry-eu", "eu"]]);
    expect(binding("BUCKET")).toMatchObject({ bucket_name: "registry-eu", jurisdiction: "eu" });
    expect(account.domains).toMatchObject([{ hostname: "registry.example.com" }]);
    const vars = account.uploads.at(-1)?.bindings.filter(({ type }) => type === "plain_text") ?? [];
    const { publicUrl } = readConfig(Object.fromEntries(vars.map(({ name, text }) => [name, text])));
    expect(publicUrl).toBe("https://registry.example.com");
  });
});
