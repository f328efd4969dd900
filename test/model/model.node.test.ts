import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTestRegistry, type TestRegistryOptions } from "../support/registry.ts";
import { perform } from "./perform.ts";
import { RegistryModel } from "./registry-model.ts";
import { type Step, steps } from "./step.ts";

// Runs in Node, since the clock of the Workers runtime stands still while code runs. Every batch of sequences is
// the same for the same seed; how many there are depends on the time.
const seconds = Number(process.env.MODEL_SECONDS ?? 4);
const firstSeed = Number(process.env.MODEL_SEED ?? 1);
const batch = 20;

/** Sends the steps to an empty registry and to an empty model, and compares every answer. */
async function agree(options: TestRegistryOptions, sequence: readonly Step[]): Promise<void> {
  const client = createTestRegistry(options).client();
  const model = new RegistryModel();
  for (const step of sequence) {
    expect(await perform(client, step), JSON.stringify(step)).toEqual(model.answer(step));
  }
}

test.each<[string, TestRegistryOptions]>([
  ["as it is", {}],
  ["without records in KV", { config: { kvRecords: false } }],
  ["that reads tags from KV alone", { config: { tagConsistency: "eventual" } }],
  ["with a cache in front", { edgeCache: true }],
])(
  "a registry %s answers every sequence of requests as the model does",
  async (_, options) => {
    const end = performance.now() + seconds * 1000;
    let sequences = 0;
    let requests = 0;
    const property = fc.asyncProperty(steps, async (sequence) => {
      await agree(options, sequence);
      requests += sequence.length;
    });
    for (let seed = firstSeed; performance.now() < end; seed++) {
      await fc.assert(property, { seed, numRuns: batch });
      sequences += batch;
    }
    console.info(`${sequences} sequences, ${requests} requests`);
  },
  (seconds + 60) * 1000,
);
