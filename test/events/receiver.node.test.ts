import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook as Verifier } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../scripts/build-worker.ts";
import { type LocalRegistry, startLocalRegistry } from "../../scripts/local-registry.ts";
import { emptyImage } from "./push.ts";
import { type Behaviour, Receiver } from "./receiver.ts";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
/** How often the queue of the test repeats a message before it is dead. */
const maxRetries = 3;
const pushes = 3;
const patience = { timeout: 60_000, interval: 50 };

const ok: Behaviour = (_, response) => void response.writeHead(204).end();
const failing =
  (times: number, fail: Behaviour): Behaviour =>
  (delivery, response) =>
    (delivery.attempt <= times ? fail : ok)(delivery, response);
const status =
  (code: number, headers: Record<string, string> = {}): Behaviour =>
  (_, response) =>
    void response.writeHead(code, headers).end("no");

/** What receivers do, and what each then gets for every event. */
const receivers: Readonly<
  Record<string, { readonly does: string; readonly behaviour: Behaviour; readonly requests: number }>
> = {
  steady: { does: "answers 204", behaviour: ok, requests: 1 },
  failing: { does: "answers 500 twice, then 204", behaviour: failing(2, status(500)), requests: 3 },
  slow: {
    does: "gives no answer within its time, then 204",
    behaviour: failing(1, () => undefined),
    requests: 2,
  },
  busy: {
    does: "answers 429 with `Retry-After: 3`, then 204",
    behaviour: failing(1, status(429, { "Retry-After": "3" })),
    requests: 2,
  },
  dropping: {
    does: "cuts the connection, then 204",
    behaviour: failing(1, (_, response) => void response.socket?.destroy()),
    requests: 2,
  },
  redirecting: {
    does: "redirects, then 204: it is not followed",
    behaviour: failing(1, status(307, { Location: "/steady" })),
    requests: 2,
  },
  gone: { does: "answers 410: it is told no more of that event", behaviour: status(410), requests: 1 },
  dead: {
    does: `answers 500 until the event is in the dead letter queue, then 204`,
    behaviour: failing(maxRetries + 1, status(500)),
    requests: maxRetries + 2,
  },
};

let receiver: Receiver;
let registry: LocalRegistry;
let directory: string;

beforeAll(async () => {
  receiver = new Receiver(
    Object.fromEntries(Object.entries(receivers).map(([name, { behaviour }]) => [name, behaviour])),
  );
  const origin = await receiver.listen();
  directory = await mkdtemp(join(tmpdir(), "skerry-events-"));
  const example = await readFile(join(projectRoot, "examples/events.toml"), "utf8");
  const config = join(directory, "wrangler.toml");
  // The dead letter queue gets a consumer too, as for a redrive.
  const redrive = '\n[[queues.consumers]]\nqueue = "skerry-events-dead"\nmax_batch_timeout = 1\n';
  await writeFile(
    config,
    example
      .replace('"../src/index.ts"', JSON.stringify(join(projectRoot, "src/index.ts")))
      .replace("max_retries = 12", `max_retries = ${maxRetries}`) + redrive,
  );
  const webhooks = Object.keys(receivers).map((name) => ({
    name,
    url: `${origin}/${name}`,
    secret,
    private: true,
    timeout: 1,
    events: ["push"],
  }));
  registry = await startLocalRegistry({
    config,
    persistTo: directory,
    vars: { WEBHOOKS: JSON.stringify(webhooks), EVENTS_RETRY_SECONDS: "1", LOG: "off" },
  });
  for (let index = 0; index < pushes; index++) {
    await emptyImage(registry.origin, "team/app", `v${index}`);
  }
  const total = Object.values(receivers).reduce((sum, { requests }) => sum + requests * pushes, 0);
  await vi.waitUntil(() => receiver.deliveries.length >= total, patience);
});

afterAll(async () => {
  await registry?.stop();
  receiver?.close();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

describe("a queue with receivers that", () => {
  it.each(Object.keys(receivers))(
    "are %s: each gets its events as often as it needs, and no other's",
    (name) => {
      const got = receiver.of(name);
      const { requests } = receivers[name] ?? { requests: 0 };
      expect(new Set(got.map(({ id }) => id)).size).toBe(pushes);
      expect(got).toHaveLength(requests * pushes);
    },
  );

  it("ask to be left alone for a while are", () => {
    const got = receiver.of("busy");
    for (const { id, at } of got.filter(({ attempt }) => attempt === 2)) {
      const first = got.find((delivery) => delivery.id === id && delivery.attempt === 1);
      expect(at - (first?.at ?? 0)).toBeGreaterThan(2900);
    }
  });

  it("check signatures with a library accept all of them, and no body that was changed", () => {
    const verifier = new Verifier(secret);
    for (const { headers, body, id } of receiver.deliveries) {
      const signed = headers as Record<string, string>;
      expect(verifier.verify(body, signed)).toMatchObject({ id, type: "skerry.push", specversion: "1.0" });
      expect(() => verifier.verify(body.replace("team", "tean"), signed)).toThrow();
      const later = String(Number(signed["webhook-timestamp"]) + 1);
      expect(() => verifier.verify(body, { ...signed, "webhook-timestamp": later })).toThrow();
    }
  });
});

it("docs/events.md shows what the receivers got", async () => {
  const page = await readFile(join(projectRoot, "docs/events.md"), "utf8");
  const rows = Object.entries(receivers).map(([name, { does }]) => {
    const got = receiver.of(name);
    const events = new Set(got.map(({ id }) => id)).size;
    return `| ${does} | ${events} | ${got.length} |`;
  });
  expect(page).toContain(rows.join("\n"));
});
