import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorsOf, internals } from "../../support/answers.ts";
import { blobOf, expectStatus, imageOf, noise, pushBlob, putManifest } from "../../support/content.ts";
import type { Client } from "../../support/registry.ts";
import type { WireResponse } from "../../wire/connection.ts";
import { useEdge } from "../edge.ts";
import { entryOf, type UpstreamEntry } from "../edge-entry.ts";
import { type FaultProxy, honest, startFaultProxy } from "../fault-proxy.ts";
import { skerryOrigin } from "../skerry-origin.ts";
import { withFaultTable } from "./page.ts";
import { type Cell, type RequestKind, type RequestName, requests, tag } from "./requests.ts";
import { type State, type Surroundings, states } from "./states.ts";

const page = join(import.meta.dirname, "../../../docs/pull-through.md");
const origin = skerryOrigin();
const proxies = new Map<State, FaultProxy>();
const cells = new Map<string, Cell>();
const seen = new Map<string, Partial<Record<RequestName, string>>>();
let surroundings: Surroundings;
const names = Object.keys(requests) as RequestName[];

const edge = useEdge(
  () => [...proxies.values(), surroundings.storage],
  async () => {
    surroundings = { storage: await startFaultProxy(origin.answer) };
    for (const state of states) proxies.set(state, await startFaultProxy(origin.answer));
    // Whatever is remembered of an upstream that failed must not touch another cell: each has its own.
    return { upstreams: states.flatMap((state) => names.map((name) => upstreamOf(state, name))) };
  },
);

function upstreamOf(state: State, name: RequestName): UpstreamEntry {
  const { timeout = 5000 } = state;
  return entryOf(prefixOf(state, name), proxyOf(state), { fresh: requests[name].fresh, timeout });
}

function prefixOf(state: State, name: RequestName): string {
  return `${name.toLowerCase()}.s${states.indexOf(state)}.example`;
}

function proxyOf(state: State): FaultProxy {
  return proxies.get(state) as FaultProxy;
}

async function pushCell(client: Client, prefix: string): Promise<Omit<Cell, "port">> {
  const repository = `of/${prefix}`;
  const config = await blobOf(JSON.stringify({ prefix }));
  const layer = await blobOf(noise(20_000, cells.size + 1));
  const image = await imageOf(config, [layer]);
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.byteLength };
  const signature = await imageOf(config, [], { subject });
  for (const blob of [config, layer]) await expectStatus(pushBlob(client, repository, blob), 201);
  await expectStatus(putManifest(client, repository, tag, image), 201);
  await expectStatus(putManifest(client, repository, signature.digest, signature), 201);
  return { name: `${prefix}/${repository}`, image, layer, signature };
}

beforeAll(async () => {
  for (const state of states) {
    for (const name of names) {
      const prefix = prefixOf(state, name);
      const cell = { port: edge().port, ...(await pushCell(origin.client, prefix)) };
      cells.set(prefix, cell);
      await (requests[name] as RequestKind).before?.(cell);
    }
  }
});

afterAll(() => cells.clear());

/**
 * What the table says of an answer: its status, its code, and `wait` for a Retry-After; `old` with a Warning; `none`
 * for a list of nothing; `no length` without a Content-Length. What every answer must hold to is checked.
 */
function describeAnswer(answer: WireResponse): string {
  const { status } = answer;
  expect(status).not.toBe(500);
  const text = answer.body.toString();
  if (status < 400) {
    return [
      status,
      answer.header("Warning") === undefined ? "" : " old",
      /"(?:tags|manifests)":\[\]/.test(text) ? ", none" : "",
      answer.header("Content-Length") === undefined ? ", no length" : "",
    ].join("");
  }
  // The answer to a HEAD has no body.
  if (text === "") return String(status);
  expect(answer.header("Content-Type")).toBe("application/json");
  expect(text).not.toMatch(internals);
  expect(text).not.toMatch(/127\.0\.0\.1|answered by the proxy/);
  const isDelayed = Number(answer.header("Retry-After")) > 0;
  return `${status} ${errorsOf(text)[0]?.code}${isDelayed ? ", wait" : ""}`;
}

async function answerIn(cell: Cell, kind: RequestKind): Promise<string> {
  try {
    return describeAnswer(await kind.send(cell));
  } catch (error) {
    if (error instanceof Error && /^the connection ended at/.test(error.message)) return "cut off";
    throw error;
  }
}

describe.each(states)("an upstream that $title", (state) => {
  beforeAll(async () => {
    const proxy = proxyOf(state);
    if (state.fault === undefined) await proxy.kill();
    else proxy.fault = state.fault(surroundings, proxy);
    proxy.forget();
  });

  it.each(names)("%s", async (name) => {
    const cell = cells.get(prefixOf(state, name)) as Cell;
    const answer = await answerIn(cell, requests[name]);
    seen.set(state.title, { ...seen.get(state.title), [name]: answer });
    expect(answer).toBe(state.answers[name]);
  });

  it("is asked nothing for what is held, and little for the rest", () => {
    const asked = (name: RequestName) =>
      proxyOf(state).seen.filter(({ path }) => path.includes(prefixOf(state, name))).length;
    expect(asked("held")).toBe(0);
    for (const name of names) expect(asked(name), name).toBeLessThanOrEqual(state.most ?? 3);
  });
});

it("all are forgiven once they answer", { timeout: 60_000 }, async () => {
  await Promise.all(
    states.map(async (state) => {
      const proxy = proxyOf(state);
      proxy.fault = honest;
      if (state.fault === undefined) await proxy.revive();
      for (const name of names) {
        const cell = cells.get(prefixOf(state, name)) as Cell;
        // A tag with a copy is served from it for ten seconds after a failure.
        const poll = expect.poll(() => answerIn(cell, requests[name]), { timeout: 30_000, interval: 500 });
        await poll.toBe(name === "range" ? "206" : "200");
      }
    }),
  );
});

it("the table is that of docs/pull-through.md", async () => {
  const text = await readFile(page, "utf8");
  await expect(withFaultTable(text, states, seen)).toMatchFileSnapshot(page);
});
