/**
 * The value of `webhook-signature` (Standard Webhooks 1.0): HMAC-SHA256 over id, timestamp and body. A receiver
 * that refuses old timestamps, and ids that it has seen, cannot be sent a recording.
 * @param timestamp Unix time in seconds.
 */
export async function signature(
  secret: Uint8Array<ArrayBuffer>,
  id: string,
  timestamp: string,
  body: string,
): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
}
