import { afterEach, expect, it } from "vitest";
import { exchange } from "../wire/connection.ts";
import { useEdge } from "./edge.ts";
import { entryOf } from "./edge-entry.ts";
import { type Exchange, type Fault, type FaultProxy, honest, startFaultProxy } from "./fault-proxy.ts";
import { chunks, cuts, flips, lengthens, onlyFor, shortens } from "./faults.ts";
import { pullBlob, pushLayers } from "./pulls.ts";
import { skerryOrigin } from "./skerry-origin.ts";

const prefix = "mirror.example";
/** More than one piece of a download. */
const size = 1_500_000;
const origin = skerryOrigin();
let proxy: FaultProxy;

const edge = useEdge(
  () => [proxy],
  async () => {
    proxy = await startFaultProxy(origin.answer);
    return { upstreams: [entryOf(prefix, proxy)] };
  },
);

afterEach(() => {
  proxy.fault = honest;
  proxy.forget();
});

/** A byte is another, and nobody says how many there are. */
const flipsUnsized: Fault = async (exchange: Exchange) => {
  const { body, ...answer } = await exchange.ask();
  const changed = Buffer.from(body);
  changed[0] = (changed[0] ?? 0) ^ 1;
  await chunks({ ...exchange, ask: async () => ({ ...answer, body: changed }) });
};

async function pushLayer(name: string, seed: number) {
  const { blobs } = await pushLayers(origin.client, name, "1", [size], seed);
  const digest = blobs[1]?.digest ?? "";
  return { digest, name: `${prefix}/${name}`, path: `/v2/${prefix}/${name}/blobs/${digest}` };
}

/** Pulls again from the upstream, and then without it. */
async function expectKeptNext(name: string, digest: string): Promise<void> {
  proxy.fault = honest;
  await pullBlob(edge().port, name, digest);
  await proxy.kill();
  try {
    await expect
      .poll(() =>
        pullBlob(edge().port, name, digest).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  } finally {
    await proxy.revive();
  }
}

it.each([
  { what: "with another byte", fault: flips },
  { what: "that lacks a byte, as its length says", fault: shortens },
  { what: "with a byte more, as its length says", fault: lengthens },
  { what: "that is cut off", fault: cuts },
])("a client sees that a blob $what is none: its connection ends early", async ({ what, fault }) => {
  const { digest, name, path } = await pushLayer(`lying/${what.replaceAll(/\W+/g, "-")}`, what.length);
  proxy.fault = onlyFor("blobs", fault);
  const broken = /^the connection ended at (\d+) of (\d+) bytes$/;
  await expect(exchange(edge().port, "GET", path)).rejects.toThrow(broken);
  await expectKeptNext(name, digest);
});

it("a client sees that a blob of no length with another byte is none: the last chunk does not come", async () => {
  const { digest, name, path } = await pushLayer("lying/unsized", 71);
  proxy.fault = onlyFor("blobs", flipsUnsized);
  await expect(exchange(edge().port, "GET", path)).rejects.toThrow(/^the connection ended/);
  await expectKeptNext(name, digest);
});

it("a blob of no length comes whole, and is not kept", async () => {
  const { digest, name } = await pushLayer("honest/unsized", 72);
  proxy.fault = onlyFor("blobs", chunks);
  for (let pull = 0; pull < 2; pull++) await pullBlob(edge().port, name, digest);
  expect(proxy.seen.filter(({ method }) => method === "GET")).toHaveLength(2);
});
