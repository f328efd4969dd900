import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// A limit for what hangs, not a measure of speed: machines that run the tests may be busy.
const patience = { testTimeout: 120_000, hookTimeout: 120_000 };

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
          ...patience,
        },
      },
      { test: { name: "node", include: ["test/**/*.node.test.ts"], ...patience } },
    ],
  },
});
