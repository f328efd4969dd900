import { describe, expect, it } from "vitest";
import { signature } from "../../src/events/signature.ts";
import { blocksOf } from "../docs/pages.ts";

const key = new Uint8Array(new TextEncoder().encode("0123456789abcdef01234567"));
const secret = `whsec_${Buffer.from(key).toString("base64")}`;

/** The function that docs/events.md shows. */
async function documented(): Promise<(headers: Headers, body: string, secret: string) => Promise<boolean>> {
  const block = blocksOf("docs/events.md").find(({ label }) => label === "verify");
  const module = await import(`data:text/javascript,${encodeURIComponent(block?.text ?? "")}`);
  return module.verify;
}

async function signed(body: string, at = Date.now()): Promise<Headers> {
  const timestamp = String(Math.floor(at / 1000));
  return new Headers({
    "webhook-id": "an-id",
    "webhook-timestamp": timestamp,
    "webhook-signature": await signature(key, "an-id", timestamp, body),
  });
}

describe("the check of docs/events.md", () => {
  it("accepts what Skerry signs, beside signatures of other keys and versions", async () => {
    const verify = await documented();
    const headers = await signed("{}");
    expect(await verify(headers, "{}", secret)).toBe(true);
    const other = await signature(key.slice().reverse(), "an-id", "1", "{}");
    headers.set("webhook-signature", `${other} v2,AAAA ${headers.get("webhook-signature")}`);
    expect(await verify(headers, "{}", secret)).toBe(true);
  });

  it("refuses another body, id, time or key, and what is old or not signed", async () => {
    const verify = await documented();
    const changed = async (name: string, value: string) => {
      const headers = await signed("{}");
      headers.set(name, value);
      return verify(headers, "{}", secret);
    };
    expect(await verify(await signed("{}"), "{ }", secret)).toBe(false);
    expect(await changed("webhook-id", "another")).toBe(false);
    expect(await changed("webhook-timestamp", String(Math.floor(Date.now() / 1000) - 60))).toBe(false);
    expect(await verify(await signed("{}"), "{}", `whsec_${btoa("another key, of the same kind")}`)).toBe(
      false,
    );
    expect(await verify(await signed("{}", Date.now() - 600_000), "{}", secret)).toBe(false);
    expect(await verify(new Headers(), "{}", secret)).toBe(false);
  });
});
