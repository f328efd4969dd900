import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { makeAccount, makeTokenKey } from "../../scripts/commands/key.ts";
import { startLocalRegistry } from "../../scripts/local-registry.ts";
import { basic } from "../auth/credentials.ts";
import { askerOf } from "../support/asker.ts";
import { blobOf, expectStatus, indexOf, noise, putManifest, type TestManifest } from "../support/content.ts";
import type { Asker } from "../support/registry.ts";
import { pushRealImage } from "../web/images.ts";
import { hostileConfig } from "./hostile.ts";

/** Who may sign in. */
export type Account = "root" | "writer" | "reader";

/** A registry with images to look at, and a browser to look with. */
export interface World {
  readonly origin: string;
  readonly keys: Readonly<Record<Account, string>>;
  /** What the images are, by what they are for. */
  readonly digests: Readonly<Record<"app" | "index", string>>;
  /** Asks the API, past the pages. */
  readonly asRoot: Asker;
  /** Does something with a page of its own, in a session of its own, and closes it. */
  visit(work: (page: Page) => Promise<void>, options?: BrowserContextOptions): Promise<void>;
  close(): Promise<void>;
}

/** Starts both. @param dir for the registry's state. */
export async function startWorld(dir: string): Promise<World> {
  const root = await makeAccount("root", {}, true);
  const writer = await makeAccount("writer", { "team/*": "pull,push,delete" }, false);
  const reader = await makeAccount("reader", { "team/*": "pull" }, false);
  const registry = await startLocalRegistry({
    persistTo: dir,
    vars: {
      ANONYMOUS: "none",
      PUBLIC_REPOSITORIES: "open/*",
      ACCOUNTS: `[${[root, writer, reader].map(({ entry }) => entry).join(",")}]`,
      TOKEN_KEY: await makeTokenKey(),
      TRUST_PROXY: "true",
    },
  });
  const asRoot = askerOf(registry.origin, basic({ name: "root", key: root.key }));
  const digests = await seed(asRoot);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return {
    origin: registry.origin,
    keys: { root: root.key, writer: writer.key, reader: reader.key },
    digests,
    asRoot,
    visit: (work, options) => visit(browser, registry.origin, work, options),
    async close() {
      await browser.close();
      await registry.stop();
    },
  };
}

async function visit(
  browser: Browser,
  baseURL: string,
  work: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ baseURL, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(20_000);
  try {
    await work(await context.newPage());
  } finally {
    await context.close();
  }
}

async function seed(client: Asker): Promise<World["digests"]> {
  const base = await blobOf(noise(600_000, 1));
  const layers = [base, await blobOf(noise(90_000, 2)), await blobOf(noise(2_400_000, 3))];
  const steps = [
    { created_by: "/bin/sh -c #(nop) ADD rootfs.tar in /" },
    { created_by: "/bin/sh -c apk add --no-cache ca-certificates" },
    { created_by: "/bin/sh -c #(nop) ENV PORT=8080", empty_layer: true },
    { created_by: "/bin/sh -c #(nop) COPY server /usr/bin/server" },
  ];
  const config = {
    created: "2026-11-01T12:00:00Z",
    config: {
      Env: ["PATH=/usr/bin:/bin", "PORT=8080"],
      Entrypoint: ["/usr/bin/server"],
      Cmd: ["--listen", "0.0.0.0:8080"],
      User: "1000",
      WorkingDir: "/srv",
      Labels: { "org.opencontainers.image.source": "https://git.example.com/team/app" },
    },
    history: steps,
  };
  await pushRealImage(client, "team/app", "1.0", { ...config, created: "2026-10-01T12:00:00Z" }, [base]);
  const app = await pushRealImage(client, "team/app", "1.1", config, layers);
  await expectStatus(putManifest(client, "team/app", "latest", app), 201);
  const signature = { subject: descriptorOf(app), artifactType: "application/vnd.example.signature" };
  await pushRealImage(client, "team/app", undefined, {}, ["a signature"], signature);
  const arm = await pushRealImage(client, "team/multi", undefined, { architecture: "arm64" }, ["arm"]);
  const amd = await pushRealImage(client, "team/multi", undefined, {}, ["amd"]);
  const platform = (architecture: string) => ({ os: "linux", architecture });
  const descriptors = [
    { ...descriptorOf(arm), platform: platform("arm64") },
    { ...descriptorOf(amd), platform: platform("amd64") },
  ];
  const index = await indexOf([arm, amd], { manifests: descriptors });
  await expectStatus(putManifest(client, "team/multi", "1", index), 201);
  for (let tag = 1; tag <= 30; tag++)
    await expectStatus(putManifest(client, "team/multi", `build-${tag}`, amd), 201);
  const annotations = hostileConfig.config.Labels;
  const hostile = await pushRealImage(client, "team/hostile", "1", hostileConfig, ["x"], { annotations });
  await pushRealImage(client, "team/hostile", undefined, hostileConfig, ["y"], {
    annotations,
    artifactType: "application/vnd.example.signature",
    subject: descriptorOf(hostile),
  });
  for (const tag of ["older", "moved"]) await pushRealImage(client, "team/moved", tag, {}, ["older"]);
  await pushRealImage(client, "team/moved", "moved", { author: "newer" }, ["newer"]);
  for (const name of ["open/tool", "private/secret", "team/old", "team/plain"])
    await pushRealImage(client, name, "1", {}, [name]);
  return { app: app.digest, index: index.digest };
}

function descriptorOf({ mediaType, digest, bytes }: TestManifest) {
  return { mediaType, digest, size: bytes.byteLength };
}

/** Signs in by the form. */
export async function signIn(page: Page, { keys }: World, account: Account): Promise<void> {
  await page.goto("/-/sign-in");
  await page.getByLabel("Account").fill(account);
  await page.getByLabel("Key").fill(keys[account]);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Every kind of page, as an admin finds them. */
export function allPages({ digests }: World): readonly string[] {
  const app = "/-/repositories/team/app";
  return [
    "/",
    "/?q=none-has-this",
    "/-/repositories/team/multi?sort=name",
    app,
    `${app}/-/manifests/1.1`,
    `${app}/-/manifests/${digests.app}`,
    "/-/repositories/team/multi/-/manifests/1",
    `${app}/-/tags/1.1/history`,
    `${app}/-/manifests/1.1/delete`,
    `${app}/-/manifests/${digests.app}/delete`,
    `${app}/-/delete`,
    `${app}/-/retention`,
    "/-/repositories/team/hostile/-/manifests/1",
    "/-/storage",
    "/-/garbage-collection",
    "/-/repositories/no/such",
  ];
}
