/**
 * JSON as an answer, its length said: an answer to HEAD loses the body, and with it the length that the runtime
 * would count (P12).
 * @param text the JSON, as it is sent.
 * @param headers in the place of `Content-Type: application/json`, or besides.
 */
export function jsonResponse(
  text: string,
  headers: Readonly<Record<string, string>> = {},
  status = 200,
): Response {
  const body = new TextEncoder().encode(text);
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json", "Content-Length": String(body.byteLength), ...headers },
  });
}
