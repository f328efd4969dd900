import { failureOf } from "./answers.ts";
import { Authorizer } from "./authorizer.ts";
import { Backoff, type Retries } from "./backoff.ts";
import type { Credentials } from "./credentials.ts";
import { RegistryFailure } from "./failure.ts";
import {
  type Answer,
  type Body,
  type HttpRequest,
  openAnswer,
  readAnswer,
  type StreamedAnswer,
  send,
} from "./transport.ts";

export interface RegistryRequest {
  readonly method: string;
  /** Below the registry's address, or a whole URL that the registry gave. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Of the token, if the registry wants one. */
  readonly scopes: readonly string[];
  /** As of `HttpRequest`. */
  readonly patience?: number;
}

export interface RegistryOptions {
  readonly url: URL;
  /** Called once at most, and only if the registry asks for them. */
  readonly credentials: () => Promise<Credentials | undefined>;
  readonly retries: Retries;
}

/** Redirects that are followed in a row. */
const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** One registry: asks it, with what it wants to know of the user. */
export class Registry {
  readonly url: URL;
  readonly retries: Retries;
  readonly #authorizer: Authorizer;

  constructor({ url, credentials, retries }: RegistryOptions) {
    this.url = url;
    this.retries = retries;
    this.#authorizer = new Authorizer(url, credentials);
  }

  /** An address that the registry gave, which may be relative, to be sent to as the registry itself is. */
  resolve(location: string, base: URL = this.url): URL {
    const url = new URL(location, base);
    // A registry behind a proxy that ends TLS may not know its own scheme.
    if (url.host === this.url.host && this.url.protocol === "https:") url.protocol = "https:";
    return url;
  }

  /**
   * Asks once; a second time only with what a 401 asks for.
   * @throws RegistryFailure for a connection that failed, and if no token is to be had.
   */
  attempt(request: RegistryRequest): Promise<Answer> {
    return this.#authorized(request, send, () => {});
  }

  /**
   * Asks until the status is one of `accepted`, with waits while the failures are temporary: for requests that may
   * be repeated.
   * @throws RegistryFailure.
   */
  async ask(request: RegistryRequest, accepted: readonly number[]): Promise<Answer> {
    const backoff = new Backoff(this.retries);
    for (;;) {
      try {
        return expectStatus(this, request, await this.attempt(request), accepted);
      } catch (error) {
        await backoff.pause(error);
      }
    }
  }

  /**
   * Gets something whose body is read as it comes, from where redirects lead to.
   * @throws RegistryFailure, which may be temporary.
   */
  async open(
    request: Omit<RegistryRequest, "body" | "method">,
    accepted: readonly number[],
  ): Promise<StreamedAnswer> {
    let target = request.target;
    for (let count = 0; count <= maxRedirects; count++) {
      const current = { ...request, method: "GET", target };
      const answer = await this.#authorized(current, openAnswer, ({ body }) => body.resume());
      const { location } = answer.headers;
      if (!redirects.has(answer.status) || location === undefined) {
        if (accepted.includes(answer.status)) return answer;
        const body = await readAnswer({ method: "GET", url: this.resolve(String(target)) }, answer.body);
        throw failureOf(this.describe(current), { ...answer, body });
      }
      answer.body.destroy();
      target = this.resolve(location, this.resolve(String(target)));
    }
    throw new RegistryFailure(
      `${this.describe({ ...request, method: "GET" })}: more than ${maxRedirects} redirects`,
    );
  }

  /** For messages. */
  describe({ method, target }: Pick<RegistryRequest, "method" | "target">): string {
    const url = this.resolve(String(target));
    return `${method} ${url.origin}${url.pathname}`;
  }

  async #authorized<Result extends Pick<Answer, "status" | "headers">>(
    { target, scopes, ...request }: RegistryRequest,
    sending: (request: HttpRequest) => Promise<Result>,
    discard: (answer: Result) => unknown,
  ): Promise<Result> {
    const url = this.resolve(String(target));
    // Locations and redirects may lead elsewhere, where nobody must learn the password.
    if (url.origin !== this.url.origin) return sending({ ...request, url });
    const attempt = async (authorization: string | undefined) =>
      sending({
        ...request,
        url,
        headers: { ...request.headers, ...(authorization !== undefined && { Authorization: authorization }) },
      });
    const authorization = await this.#authorizer.header(scopes);
    const answer = await attempt(authorization);
    if (answer.status !== 401 || !(await this.#authorizer.meet(answer.headers, scopes, authorization)))
      return answer;
    discard(answer);
    return attempt(await this.#authorizer.header(scopes));
  }
}

/** @throws RegistryFailure for an answer with another status. */
export function expectStatus(
  registry: Registry,
  request: Pick<RegistryRequest, "method" | "target">,
  answer: Answer,
  accepted: readonly number[],
): Answer {
  if (accepted.includes(answer.status)) return answer;
  throw failureOf(registry.describe(request), answer);
}
