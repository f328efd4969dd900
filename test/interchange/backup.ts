import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../scripts/build-worker.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { blocksOf } from "../docs/pages.ts";
import { type Pulled, pullEverything } from "../operations/pull.ts";
import { Pusher, type Values } from "../operations/storm.ts";
import { askerOf } from "../support/asker.ts";
import { startResigningProxy } from "./resigning-proxy.ts";
import { skerry, type World } from "./world.ts";

const credentials = { accessKeyId: "backup", secretAccessKey: "nobody else can reach it" };
/** Buckets of the recipe: the registry's, where the copy lies, and where it is restored to. */
const buckets = ["skerry", "skerry-backup", "skerry-restored"];

/** Runs the commands of docs/operations.md, with rclone, while clients push; restores, and pulls everything. */
export async function backup({ checks, processes, ...world }: World): Promise<void> {
  const dir = join(world.dir, "backup");
  await mkdir(dir);
  const state = join(dir, "state");
  const serving = await configure(dir, "skerry");
  const restored = await configure(dir, "skerry-restored");
  const values: Values = new Map();
  let before: readonly Pulled[] = [];

  const registry = await startLocalRegistry({ config: serving, persistTo: state });
  const s3 = await startResigningProxy(`${registry.origin}/cdn-cgi/local/r2/s3`, credentials);
  const run = (label: string) => {
    const [block] = blocksOf("docs/operations.md").filter((each) => each.label === label);
    // The day that the documentation restores is one of the past.
    const script = (block?.text ?? "exit 1").replace(/DAY=\d{4}-\d\d-\d\d/, "DAY=$(date +%F)");
    // A bundle of certificates would keep rclone from speaking to loopback at all.
    const env = { ...remote("R2", s3.origin), ...remote("BACKUP", s3.origin), AWS_CA_BUNDLE: "" };
    return processes.run(["bash", "-e", "-c", script], { env, cwd: dir, timeout: 300 });
  };
  try {
    const asker = askerOf(registry.origin);
    const pushers = ["app", "app/below", "zoo"].map(
      (name, seed) => new Pusher(asker, name, seed + 1, values),
    );
    await checks.check("backup: copied by rclone while clients push, delete and tag", async () => {
      for (const pusher of pushers) await pusher.begin();
      before = await pullEverything(asker);
      let isCopied = false;
      const copying = run("backup").finally(() => {
        isCopied = true;
      });
      const pushing = pushers.map(async (pusher) => {
        while (!isCopied) {
          await pusher.act();
          await Promise.race([s3.more(40), copying]);
        }
      });
      await Promise.all([copying, ...pushing]);
      assert.ok(
        [...values.values()].some((set) => set.size > 3),
        "nothing went on meanwhile",
      );
    });
    await checks.check("restore: copied back by rclone into an empty bucket", async () => {
      await run("restore");
    });
  } finally {
    await s3.close();
    await registry.stop();
  }
  await checks.check("restore: check leaves nothing that a tag needs", async () => {
    const inRestored: World = { ...world, checks, processes, state };
    const said = await skerry(inRestored, "check", "--repair", "--config", restored).catch(String);
    const left = said.match(/^(?!.*\(repaired\)$)[a-z ]+: .*@.*$/gm) ?? [];
    assert.deepEqual(
      left.filter((line) => !line.startsWith("missing reference")),
      [],
    );
  });
  await checks.check("restore: every tag is pulled with all that it refers to", async () => {
    const again = await startLocalRegistry({ config: restored, persistTo: state });
    try {
      const pulled = await pullEverything(askerOf(again.origin));
      assert.deepEqual(
        pulled.filter(({ missing }) => missing.length > 0),
        [],
      );
      for (const { reference, digest } of pulled)
        assert.ok(values.get(reference)?.has(digest ?? undefined), reference);
      const there = pulled.map(({ reference }) => reference);
      const moving = before.map(({ reference }) => reference).filter((each) => each.endsWith(":moving"));
      assert.equal(moving.length, 3);
      assert.deepEqual(
        moving.filter((reference) => !there.includes(reference)),
        [],
      );
    } finally {
      await again.stop();
    }
  });
}

/** Writes a wrangler.toml whose registry is in `bound`, and which has S3 endpoints for all buckets. @returns its path. */
async function configure(dir: string, bound: string): Promise<string> {
  const toml = await readFile(join(projectRoot, "wrangler.toml"), "utf8");
  const declared = buckets.map(
    (name) => `[[r2_buckets]]
binding = "${name === bound ? "BUCKET" : name.toUpperCase().replaceAll("-", "_")}"
bucket_name = "${name}"
[r2_buckets.local_dev]
experimental_s3_credentials = { accessKeyId = "${credentials.accessKeyId}", secretAccessKey = "${credentials.secretAccessKey}" }
`,
  );
  const file = join(dir, `${bound}.toml`);
  const main = JSON.stringify(join(projectRoot, "src/index.ts"));
  const rest = toml.replace('"src/index.ts"', main).replace(/\[\[r2_buckets\]\]\n(?:\w.*\n)+/, "");
  await writeFile(file, `${rest}\n${declared.join("")}`);
  return file;
}

/** rclone's configuration of a remote, as variables of its environment. */
function remote(name: string, endpoint: string): Record<string, string> {
  const options = {
    TYPE: "s3",
    PROVIDER: "Cloudflare",
    ENDPOINT: endpoint,
    ACCESS_KEY_ID: credentials.accessKeyId,
    SECRET_ACCESS_KEY: credentials.secretAccessKey,
    REGION: "auto",
    NO_CHECK_BUCKET: "true",
  };
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [`RCLONE_CONFIG_${name}_${key}`, value]),
  );
}
