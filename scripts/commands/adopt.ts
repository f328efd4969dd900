import { parseArgs } from "node:util";
import { type AdoptState, restartAdoption, runAdoptStep } from "../../src/maintenance/adopt.ts";
import { registryOption, send, targetOf } from "./admin-api.ts";
import type { Command } from "./command.ts";
import { storeOptions, storeUsage, withStore } from "./local-store.ts";
import { Progress } from "./progress.ts";

/** What is told of a take-over. */
type Told = Pick<AdoptState, "done" | "counts" | "notes">;

/** Operations of one step on a local bucket: about a line of progress every second. */
const operations = 200;

export const adoptCommand: Command = {
  usage: `adopt                       Take over a bucket that distribution wrote; what is left alone is listed
    --again                 begin anew: distribution has written to it once more
    --registry URL          by way of the registry, which may serve meanwhile; SKERRY_ACCOUNT and SKERRY_KEY
                            say who asks. Without it:
${storeUsage}`,

  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...storeOptions,
        ...registryOption,
        again: { type: "boolean", default: false },
      },
    });
    const { registry, again } = values;
    if (registry !== undefined) return follow(stepsByApi(registry, again));
    await withStore(values, async (store) => {
      if (again) await restartAdoption(store);
      await follow(() => runAdoptStep(store, operations));
    });
  },
};

function stepsByApi(registry: string, again: boolean): () => Promise<Told> {
  const target = targetOf(registry);
  let isFirst = true;
  return async () => {
    const answer = await send(target, "POST", `/v2/_skerry/adopt?again=${again && isFirst}`);
    isFirst = false;
    return (await answer.json()) as Told;
  };
}

async function follow(step: () => Promise<Told>): Promise<void> {
  const progress = new Progress();
  let state = await step();
  while (!state.done) {
    progress.show(`${state.counts.keys} keys, ${state.counts.tags} tags`);
    state = await step();
  }
  progress.end();
  for (const note of state.notes) console.log(note);
  const { keys, layerLinks, manifests, tags, removed, skipped } = state.counts;
  console.log(
    `${keys} keys: ${layerLinks} layer links, ${manifests} manifests and ${tags} tags are taken over, ${removed} tags removed, ${skipped} left alone`,
  );
}
