import { readAdoption, runAdoptStep } from "../../src/maintenance/adopt.ts";
import type { GcPolicy } from "../../src/maintenance/gc/collector.ts";
import { runGcStep } from "../../src/maintenance/gc/run.ts";
import { parseRetention } from "../../src/maintenance/retention/rules.ts";
import { Layout } from "../../src/storage/layout.ts";
import { faults } from "../doubles/faults.ts";
import { type Gate, immediate } from "../doubles/gate.ts";
import type { Operation } from "../doubles/operation.ts";
import { prepare, type ReadyCase } from "./case.ts";
import type { Client, Crash, Entry, Outcome, Ports, Scenario, Request as Step } from "./execution.ts";
import type { GarbageCase } from "./garbage-cases.ts";
import { blobDigest, imageDigest, storeFrom } from "./http.ts";
import type { Answer, Question } from "./registry-model.ts";
import type { Pending } from "./scheduler.ts";
import type { Checks } from "./verify.ts";

const hour = 60 * 60 * 1000;
const policy: GcPolicy = { grace: hour, keepTombstones: hour, uploadAge: 24 * hour };
/** By which manifests without a tag go too. */
const rules = '[{"repositories": ["*"], "untagged": {"keepHours": 0}}]';
const withUntagged: GcPolicy = {
  ...policy,
  retention: { rules: parseRetention(rules), isImmutable: () => false },
};
const layout = new Layout();

/** What is asked of the collector, beside what clients ask of the registry. */
export interface Collect {
  readonly ask: "collect";
}

export type Asked = Question | Collect;

export interface ReadyGarbageCase {
  readonly scenario: Scenario<Asked, Answer>;
  readonly checks: (crash?: Crash) => Checks<Asked, Answer>;
}

/** Runs the setup of a case and the passes before, and puts the collectors beside the clients. */
export async function prepareGarbage(
  given: GarbageCase,
  wrap?: (ports: Ports) => Ports,
): Promise<ReadyGarbageCase> {
  const configured = (ports: Ports) => ({
    ...(wrap?.(ports) ?? ports),
    ...(given.untagged && { variables: { RETENTION: rules } }),
  });
  const kept = await prepare(given, configured);
  const { start } = kept.scenario;
  const ports = { bucket: start.r2.actor("before"), kv: start.kv.actor("before"), clock: start.clock };
  await adopt(ports);
  for (let pass = 0; pass < given.passesBefore; pass++) {
    start.clock.advance(2 * hour);
    await collect(ports, given);
  }
  start.clock.advance(2 * hour);
  if (given.leavesJournal) {
    await dieBetweenRanks(start.gate, () => collect(ports, given));
    start.clock.advance(2 * hour);
  }
  const collectors = Array.from({ length: given.collectors ?? 1 }, (_, index) => ({
    name: `GC${index === 0 ? "" : index + 1}`,
    requests: [passOf(given)],
  }));
  // To a client, what the collector takes was never there: it may say so, or find it there still.
  const taken = await prepare({
    ...given,
    setup: [
      ...given.setup,
      ...given.garbage.map((blob): Question => ({ repository: "app", ask: "delete blob", blob })),
      ...(given.untagged ?? []).map((image): Question => ({ repository: "app", ask: "delete image", image })),
    ],
  });
  return {
    scenario: { ...kept.scenario, clients: [...kept.scenario.clients, ...collectors] },
    checks: (crash) => checksOf([kept, taken], crash),
  };
}

/** Lets a pass die at its first delete of a claim, whose link it has taken. */
async function dieBetweenRanks(gate: Gate, pass: () => Promise<void>): Promise<void> {
  const isOfClaim = ({ kind, keys }: Operation) =>
    kind === "delete" && keys.some((key) => layout.parse(key)?.kind === "owner");
  gate.policy = faults([{ when: "before", matching: isOfClaim }]);
  const [outcome] = await Promise.allSettled([pass()]);
  gate.policy = immediate;
  if (outcome.status === "fulfilled") throw new Error("the pass took no claim");
}

function passOf(given: GarbageCase): Step<Asked, Answer> {
  return {
    question: { ask: "collect" },
    async send(ports) {
      await collect(ports, given);
      return async () => ({ status: 200 });
    },
  };
}

/** The clock moves on by more than the five minutes after which a silent collector is dead. */
export const sixMinutes: Client<Asked, Answer> = {
  name: "time",
  requests: [
    {
      question: { ask: "collect" },
      async send({ clock }) {
        await clock.sleep(6 * 60 * 1000);
        return async () => ({ status: 200 });
      },
    },
  ],
};

/** Assumption 3 of docs/protocols.md: five minutes do not pass while a delete of the collector is under way. */
export function withinAssumptions(next: Pending, pending: readonly Pending[]): boolean {
  return (
    next.actor !== sixMinutes.name ||
    !pending.some(({ actor, operation }) => actor.startsWith("GC") && operation?.kind === "delete")
  );
}

/** One step that suffices for a pass. */
async function collect(ports: Ports, { untagged }: GarbageCase): Promise<void> {
  await runGcStep(storeFrom(ports), {
    policy: untagged ? withUntagged : policy,
    operations: 100_000,
    every: 0,
  });
}

/** Takes the bucket over, so that the first pass collects. */
async function adopt(ports: Ports): Promise<void> {
  const store = storeFrom(ports);
  while ((await readAdoption(store))?.done !== true) await runAdoptStep(store, 100_000);
}

function checksOf(
  [kept, taken]: readonly [ReadyCase, ReadyCase],
  crash: Crash | undefined,
): Checks<Asked, Answer> {
  const ofClients = (history: readonly Entry<Asked, Answer>[]) => history.filter(isOfClient);
  return {
    history: (all) => {
      const history = ofClients(all);
      const complaints = kept.checks(crash).history(history);
      if (complaints.length > 0 && taken.checks(crash).history(history).length === 0) return [];
      // A put that died or gave up may leave projections of a tag that the sweep took beside it.
      return history.some(isUnfinishedPut)
        ? complaints.filter((text) => !text.startsWith("no order of the requests explains tag"))
        : complaints;
    },
    outcome: (outcome) => [
      ...(kept.checks(crash).outcome?.({ ...outcome, history: ofClients(outcome.history) }) ?? []),
      ...incomplete(outcome),
    ],
  };
}

function isUnfinishedPut({ question, answer }: Entry<Question, Answer>): boolean {
  return question.ask === "put" && (answer === undefined || answer.status >= 500);
}

function isOfClient(entry: Entry<Asked, Answer>): entry is Entry<Question, Answer> {
  return entry.question.ask !== "collect";
}

/** What was acknowledged, was not deleted by a request, and is not all there. */
function incomplete({ history, doubles }: Outcome<Asked, Answer>): readonly string[] {
  const keys = new Set<string>();
  for (const { key, customMetadata } of doubles.r2.store.objects()) {
    if (customMetadata.tombstone === undefined) keys.add(key);
  }
  const ofClients = history.filter(isOfClient);
  return ofClients
    .filter((entry) => entry.answer?.status === 201 && !ofClients.some((other) => mayDelete(other, entry)))
    .flatMap(({ question }) => needsOf(question))
    .filter(([key]) => !keys.has(key))
    .map(([, what]) => `${what} is gone`);
}

/** Whether a request deletes what another wrote, and was not answered before that one began: if it died, ever. */
function mayDelete(deletion: Entry<Question, Answer>, write: Entry<Question, Answer>): boolean {
  const { question, returned = Number.POSITIVE_INFINITY } = deletion;
  if (returned <= write.invoked) return false;
  if (question.ask === "delete image") return write.question.ask === "put";
  return question.ask === "delete blob";
}

type Need = readonly [key: string, what: string];

/** The keys on which an acknowledged write rests. */
function needsOf(question: Question): readonly Need[] {
  const name = question.repository as never;
  const blob = (content: string): readonly Need[] => {
    const digest = blobDigest(content) as never;
    return [
      [layout.layerLink(name, digest), `the link of ${content} in ${name}`],
      [layout.owner(digest, name), `the claim of ${name} on ${content}`],
      [layout.blobData(digest), `the data of ${content}`],
    ];
  };
  if (question.ask === "commit" || question.ask === "mount") return blob(question.blob);
  if (question.ask !== "put") return [];
  const { image, tag } = question;
  const digest = imageDigest(image) as never;
  return [
    [layout.revisionLink(name, digest), `image ${image.name}`],
    [layout.owner(digest, name), `the claim of ${name} on ${image.name}`],
    [layout.blobData(digest), `the data of ${image.name}`],
    [layout.catalog(name), `the catalog entry of ${name}`],
    ...(tag === undefined
      ? []
      : ([[layout.tagged(name, digest, tag as never), `the reverse entry of ${tag}`]] as const)),
    ...image.blobs.flatMap(blob),
  ];
}
