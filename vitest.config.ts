import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const everywhere = {
  // Limits for what hangs, not measures of speed: machines that run the tests may be busy.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // Vitest leaves one core idle unless told otherwise: of two that is half.
  maxWorkers: "100%",
  // Files share a runtime: what one test replaces, the next one must find as it was.
  restoreMocks: true,
  unstubGlobals: true,
  unstubEnvs: true,
};

// Two projects: "workerd" runs inside the Workers runtime beside the real R2 and KV simulators; "node" holds
// what needs Node itself: raw sockets, child processes, the file system.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.node.test.ts"],
          // One runtime for each core instead of one for each file, which costs more than most files take.
          isolate: false,
          setupFiles: ["test/support/empty-stores.ts"],
          ...everywhere,
        },
      },
      {
        test: {
          name: "node",
          include: ["test/**/*.node.test.ts"],
          globalSetup: ["test/support/builds.ts"],
          // Node keeps what it has compiled of wrangler, which dozens of child processes load.
          env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node-compile-cache") },
          ...everywhere,
        },
      },
    ],
  },
});
