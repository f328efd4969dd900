import { describe, expect, it } from "vitest";
import { consume } from "../../src/events/consumer.ts";
import { parseWebhooks } from "../../src/events/webhooks.ts";
import { VirtualClock } from "../doubles/clock.ts";

const key = btoa("0123456789abcdef01234567");
const good = { name: "one", url: "https://hooks.example.com/x", secret: `whsec_${key}` };

describe("WEBHOOKS", () => {
  it("takes a name, a URL and a key, and tells of all but pulls and blobs", () => {
    expect(parseWebhooks("")).toEqual([]);
    const [webhook] = parseWebhooks(JSON.stringify([good]));
    expect(webhook).toMatchObject({ format: "cloudevents", repositories: ["*"], blobs: false, timeout: 10 });
    expect(webhook?.events).not.toContain("pull");
    expect(webhook?.secret.byteLength).toBe(24);
  });

  it.each([
    ["http", { url: "http://hooks.example.com/" }],
    ["an address", { url: "https://192.168.0.1/" }],
    ["an address in hexadecimal", { url: "https://0x7f000001/" }],
    ["an IPv6 address", { url: "https://[::1]/" }],
    ["an inner name", { url: "https://printer.local/" }],
    ["a name without a dot", { url: "https://localhost/" }],
    ["another scheme", { url: "file:///etc/passwd", private: true }],
    ["credentials in the URL", { url: "https://user:pass@hooks.example.com/" }],
    ["no URL", { url: "hooks.example.com" }],
    ["a short key", { secret: `whsec_${btoa("short-secret")}` }],
    ["a key that is not base64", { secret: "whsec_%%%" }],
    ["a key of another kind", { secret: "short-secret" }],
    ["an unknown event", { events: ["pushed"] }],
    ["an unknown field", { headers: {} }],
    ["a name that is none", { name: "A B" }],
    ["a time that is too long", { timeout: 31 }],
  ])("refuses %s, and does not say what it was", (_, wrong) => {
    const parse = () => parseWebhooks(JSON.stringify([{ ...good, ...wrong }]));
    expect(parse).toThrow();
    expect(parse).not.toThrow(/secret-|user:pass|192\.168|c2hvcn/);
  });

  it("refuses two webhooks of one name", () => {
    expect(() => parseWebhooks(JSON.stringify([good, good]))).toThrow("the same name");
  });

  it.each(["http://127.0.0.1:8080/", "https://printer.local/"])("takes %s as a private one", (url) => {
    expect(parseWebhooks(JSON.stringify([{ ...good, url, private: true }]))).toHaveLength(1);
  });
});

describe("the consumer", () => {
  /** What becomes of a message: `ack`, or the delay in seconds until it comes again. */
  async function fate(
    answer: () => Response,
    { attempts = 1, body = { webhook: "one", events: [{ id: "x", type: "push" }] } as unknown } = {},
  ): Promise<{ fate: string | number | undefined; lines: readonly string[] }> {
    let result: string | number | undefined;
    const lines: string[] = [];
    const message = {
      body,
      attempts,
      ack: () => {
        result = "ack";
      },
      retry: (options: QueueRetryOptions = {}) => {
        result = options.delaySeconds;
      },
    };
    await consume([message], {
      webhooks: parseWebhooks(JSON.stringify([good])),
      retrySeconds: 10,
      send: async () => answer(),
      clock: new VirtualClock(),
      log: (line) => lines.push(line),
    });
    return { fate: result, lines };
  }

  const status =
    (code: number, headers: Record<string, string> = {}) =>
    () =>
      new Response(null, { status: code, headers });

  it.each([200, 204, 299, 410])("is done with %i", async (code) => {
    expect((await fate(status(code))).fate).toBe("ack");
  });

  it.each([
    [1, 10],
    [2, 20],
    [3, 40],
    [12, 3600],
  ])("waits after failure %i for %i seconds, a tenth more or less", async (attempts, seconds) => {
    const waited = Number((await fate(status(500), { attempts })).fate);
    expect(waited).toBeGreaterThanOrEqual(seconds * 0.9 - 1);
    expect(waited).toBeLessThanOrEqual(seconds * 1.1 + 1);
  });

  it.each([
    ["120", 120],
    ["Thu, 01 Jan 2026 00:02:00 GMT", 120],
    ["1000000", 43_200],
  ])("waits as Retry-After: %s asks, for %i seconds", async (header, seconds) => {
    expect((await fate(status(429, { "Retry-After": header }))).fate).toBe(seconds);
  });

  it.each(["1", "soon"])("waits no less for Retry-After: %s", async (header) => {
    expect(Number((await fate(status(503, { "Retry-After": header }))).fate)).toBeGreaterThanOrEqual(9);
  });

  it("drops, with a line, what is for a webhook that is gone from the configuration", async () => {
    const body = { webhook: "two", events: [{ id: "x", type: "push" }] };
    const { fate: result, lines } = await fate(status(200), { body });
    expect(result).toBe("ack");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { webhook: "two", outcome: "gone", ids: ["x"] },
    ]);
  });

  it("drops what is no message of ours", async () => {
    expect((await fate(status(200), { body: { Records: [] } })).fate).toBe("ack");
  });

  it("takes a connection that fails for a failure", async () => {
    const refuse = () => {
      throw new TypeError("no route to hooks.example.com");
    };
    const { fate: result, lines } = await fate(refuse);
    expect(result).not.toBe("ack");
    expect(lines.join()).not.toContain("hooks.example.com");
  });
});
