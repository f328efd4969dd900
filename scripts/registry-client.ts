import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { buffer } from "node:stream/consumers";

/** `name:password` for a registry that asks for it. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Whether the body of the answer is only counted. */
  readonly discard?: boolean;
  /** Whether the body goes out in chunks, its length untold. */
  readonly chunked?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty if it was to be discarded. */
  readonly body: Buffer;
  /** Bytes of the body. */
  readonly size: number;
}

/** The token server gave no token. */
export class LoginRefused extends Error {}

/** An HTTP/1.1 client that keeps its connections, and logs in when it is asked to. */
export class Client {
  readonly origin: string;
  readonly #credentials: Credentials | undefined;
  readonly #agent: HttpAgent;
  /** The Authorization header that was good for a kind of request. */
  readonly #authorizations = new Map<string, string>();

  constructor(origin: string, credentials?: Credentials) {
    this.origin = origin;
    this.#credentials = credentials;
    this.#agent = new (origin.startsWith("https:") ? HttpsAgent : HttpAgent)({ keepAlive: true });
  }

  /**
   * Sends a request; `target` is a path or a URL.
   * @throws Error for an answer with another status than `expected`.
   */
  async ask(method: string, target: string, expected: number, ask: Ask = {}): Promise<Answer> {
    const answer = await this.send(method, target, ask);
    if (answer.status !== expected) {
      const text = answer.body.toString().slice(0, 300);
      const url = new URL(target, this.origin);
      throw new Error(`${method} ${url}: ${answer.status} instead of ${expected}: ${text}`);
    }
    return answer;
  }

  /**
   * Sends a request, and whatever the answer is, returns it. Bodies are as they came: compressed ones stay so.
   * @throws LoginRefused
   */
  async send(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const url = new URL(target, this.origin);
    const kind = `${method === "HEAD" ? "GET" : method} ${repositoryOf(url)}`;
    let answer = await this.#send(method, url, ask, this.#authorizations.get(kind));
    if (answer.status === 401 && this.#credentials !== undefined) {
      const authorization = await this.#logIn(this.#credentials, String(answer.headers["www-authenticate"]));
      this.#authorizations.set(kind, authorization);
      answer = await this.#send(method, url, ask, authorization);
    }
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(method: string, url: URL, ask: Ask, authorization: string | undefined): Promise<Answer> {
    const headers: Record<string, string> = { ...ask.headers };
    if (authorization !== undefined && url.origin === this.origin) headers.Authorization = authorization;
    if (ask.chunked) headers["Transfer-Encoding"] = "chunked";
    else if (ask.body !== undefined || method !== "GET")
      headers["Content-Length"] = String(ask.body?.length ?? 0);
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = send(url.href, { method, headers, agent: this.#agent });
    const response = answerOf(request);
    request.end(ask.body);
    const answer = await response;
    const status = answer.statusCode ?? 0;
    if (!ask.discard || status >= 400) {
      const body = await buffer(answer);
      return { status, headers: answer.headers, body, size: body.length };
    }
    let size = 0;
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    await new Promise<void>((resolve, reject) => answer.once("end", resolve).once("error", reject));
    return { status, headers: answer.headers, body: Buffer.alloc(0), size };
  }

  /** The Authorization header that a challenge asks for (RFC 7617, or distribution's token protocol). */
  async #logIn({ name, password }: Credentials, challenge: string): Promise<string> {
    const basic = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
    if (!/^bearer\s/i.test(challenge)) return basic;
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, field, value]) => [field, value ?? ""]),
    );
    const url = new URL(fields.realm ?? "");
    for (const field of ["service", "scope"]) {
      if (fields[field] !== undefined) url.searchParams.set(field, fields[field]);
    }
    const response = await fetch(url, { headers: { Authorization: basic } });
    if (!response.ok)
      throw new LoginRefused(`GET ${url.pathname}: ${response.status} ${await response.text()}`);
    const answer = (await response.json()) as { readonly token?: string; readonly access_token?: string };
    return `Bearer ${answer.token ?? answer.access_token}`;
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request.once("response", resolve).once("error", reject));
}

function repositoryOf(url: URL): string {
  return /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1] ?? "";
}
