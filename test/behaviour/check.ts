import { expect } from "vitest";
import { errorsOf, internals } from "../support/answers.ts";
import type { Row } from "./row.ts";
import { World } from "./world.ts";

/** What is told of an answer in the table. */
export interface Answer {
  readonly status: number;
  readonly codes: readonly string[];
  /** The headers that the row names, digests as labels. */
  readonly headers: Readonly<Record<string, string | null>>;
}

/** The codes of the distribution specification, and UNKNOWN for a 5xx. */
const knownCodes =
  /^(BLOB_UNKNOWN|BLOB_UPLOAD_INVALID|BLOB_UPLOAD_UNKNOWN|DIGEST_INVALID|MANIFEST_BLOB_UNKNOWN|MANIFEST_INVALID|MANIFEST_UNKNOWN|NAME_INVALID|NAME_UNKNOWN|SIZE_INVALID|UNAUTHORIZED|DENIED|UNSUPPORTED|TOOMANYREQUESTS|UNKNOWN)$/;

/** Runs a row in a world of its own, and checks all that it says and all that every answer must hold to. */
export async function check(row: Row, request = row.request): Promise<Answer> {
  const world = new World(row.config);
  await row.given?.(world);
  const before = world.keys();
  const ask = { headers: resolved(world, row.headers), body: await bodyOf(world, row.body) };
  const answer = await world.client.ask(world.resolve(request), ask);
  const text = answer.status === 304 ? "" : await answer.clone().text();
  expect(answer.status, text).toBe(row.status);
  expect(answer.headers.get("Docker-Distribution-API-Version")).toBe("registry/2.0");
  if (answer.status >= 400 && answer.status < 500) expect(world.keys()).toEqual(before);

  const headers = headersOf(world, answer, Object.keys(row.answer ?? {}));
  expect(headers).toEqual(row.answer ?? {});
  const codes = answer.status >= 400 ? await checkErrors(world, row, answer) : [];
  if (row.content !== undefined) await checkContent(world, answer.clone(), row.content);
  if (row.referrers !== undefined) {
    const { manifests } = JSON.parse(world.labelled(text)) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest).sort()).toEqual([...row.referrers].sort());
  }
  if (request.startsWith("GET ")) await checkHead(world, request, ask.headers, answer);
  for (const [next, status, body] of row.afterwards ?? []) {
    const after = await world.client.ask(world.resolve(next));
    expect(after.status, next).toBe(status);
    if (body !== undefined) await checkContent(world, after, body);
  }
  for (const [key, value] of Object.entries(row.keys ?? {})) expect(world.held(key), key).toBe(value);
  return { status: answer.status, codes, headers };
}

/** The request with a slash at the end of its path, or without if it has one. */
export function otherForm(request: string): string {
  const [, path = "", query = ""] = /^([^?]*)(.*)$/.exec(request) ?? [];
  return (path.endsWith("/") ? path.slice(0, -1) : `${path}/`) + query;
}

/** P9 to P12: the envelope, with all entries that the row names and nothing of the inside. */
async function checkErrors(world: World, row: Row, answer: Response): Promise<readonly string[]> {
  expect(answer.headers.get("Content-Type")).toBe("application/json");
  if (row.request.startsWith("HEAD ")) return [];
  const text = await answer.clone().text();
  expect(answer.headers.get("Content-Length")).toBe(String(new TextEncoder().encode(text).byteLength));
  expect(text.endsWith("}\n")).toBe(true);
  expect(text).not.toMatch(internals);
  const errors = errorsOf(world.labelled(text));
  for (const entry of errors) {
    expect(entry.code).toMatch(knownCodes);
    expect(Object.keys(entry).join()).toMatch(/^code,message(,detail)?$/);
  }
  const wanted = row.errors ?? [];
  expect(errors.map(({ code }) => code)).toEqual(wanted.map(({ code }) => code));
  for (const [index, { message, ...rest }] of wanted.entries()) {
    if (message !== undefined) expect(errors[index]?.message).toBe(message);
    if ("detail" in rest) expect(errors[index]?.detail).toEqual(rest.detail);
  }
  return errors.map(({ code }) => code);
}

async function checkContent(world: World, answer: Response, content: unknown): Promise<void> {
  const label = typeof content === "string" ? /^<(.+)>$/.exec(content)?.[1] : undefined;
  if (label === undefined) {
    expect(JSON.parse(world.labelled(await answer.text()))).toEqual(content);
    return;
  }
  const { bytes } = world.content(label);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
  expect(answer.headers.get("Content-Length")).toBe(String(bytes.byteLength));
}

/** P12, A41: HEAD answers what GET answers, without the body. */
async function checkHead(world: World, request: string, headers: Headers, get: Response): Promise<void> {
  const head = await world.client.ask(world.resolve(request.replace("GET ", "HEAD ")), { headers });
  expect(head.status).toBe(get.status);
  expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
  expect(await head.text()).toBe("");
}

function headersOf(world: World, answer: Response, names: readonly string[]): Record<string, string | null> {
  const entries = names.map((name) => {
    const value = answer.headers.get(name);
    return [name, value === null ? null : world.labelled(value)];
  });
  return Object.fromEntries(entries);
}

function resolved(world: World, headers: Row["headers"]): Headers {
  return new Headers(Object.entries(headers ?? {}).map(([name, value]) => [name, world.resolve(value)]));
}

async function bodyOf(world: World, body: Row["body"]): Promise<BodyInit | null> {
  if (body === undefined) return null;
  if (typeof body === "function") return body();
  const label = typeof body === "string" ? /^<(.+)>$/.exec(body)?.[1] : undefined;
  if (label !== undefined) return world.content(label).bytes;
  return (await world.label("body", body)).bytes;
}
