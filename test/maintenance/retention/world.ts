import type { ExpiredTag } from "../../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../../src/maintenance/gc/run.ts";
import { gcStep } from "../../../src/maintenance/gc/settings.ts";
import type { GcState } from "../../../src/maintenance/gc/state.ts";
import { parseRetention } from "../../../src/maintenance/retention/rules.ts";
import type { Platform } from "../../../src/registry.ts";
import { type Client, createTestRegistry, type TestRegistry } from "../../support/registry.ts";

export const hour = 3600 * 1000;
export const day = 24 * hour;

export interface RetentionWorld {
  readonly registry: TestRegistry;
  readonly client: Client;
  /** Tags that retention said it removed. */
  readonly expired: string[];
  /** A whole pass, in steps of so many operations. */
  pass(options?: { readonly operations?: number; readonly dryRun?: boolean }): Promise<GcState>;
  /** The tags of a repository that are set. */
  tags(name: string): Promise<readonly string[]>;
}

/** A registry with a grace of one day, and these rules for `app` and all others. */
export function createRetentionWorld(
  rule: object,
  variables: Readonly<Record<string, unknown>> = {},
  platform: Partial<Platform> = {},
): RetentionWorld {
  const registry = createTestRegistry({ platform });
  const retention = parseRetention(JSON.stringify([{ repositories: ["*"], ...rule }]));
  const client = registry.client("client", { retention, ...variables });
  const expired: string[] = [];
  return {
    registry,
    client,
    expired,
    async pass({ operations = 100_000, dryRun = false } = {}) {
      const { store, config } = client.registry;
      const onExpired = ({ name, tag }: ExpiredTag) => void expired.push(`${name}:${tag}`);
      const step = { ...gcStep(config, { every: 0, dryRun, onExpired }), operations };
      let state = await runGcStep(store, step);
      for (let steps = 0; state.phase !== "done"; steps++) {
        if (steps > 500) throw new Error("the pass does not end");
        state = await runGcStep(store, step, dryRun ? state : undefined);
      }
      return state;
    },
    async tags(name) {
      const answer = await client.ask(`GET /v2/${name}/tags/list`);
      return answer.ok ? (await answer.json<{ tags: string[] }>()).tags : [];
    },
  };
}
