import type { TestAccount } from "../auth/credentials.ts";
import type { Client } from "../support/registry.ts";

/** A page as it came. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What a browser does, without scripts: asks for HTML, keeps one cookie, sends forms. */
export class Browser {
  readonly client: Client;
  cookie: string | undefined;

  constructor(client: Client) {
    this.client = client;
  }

  get(path: string): Promise<Page> {
    return this.#send(`GET ${path}`, {}, null);
  }

  /** Sends a form, with the session's field unless `fields` has it. */
  async post(
    path: string,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = { "Sec-Fetch-Site": "same-origin" },
  ): Promise<Page> {
    const session = await this.sessionField();
    const form = new URLSearchParams({ ...(session !== undefined && { session }), ...fields });
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.#send(`POST ${path}`, { ...type, ...headers }, form.toString());
  }

  signIn({ name, key }: TestAccount, next = "/"): Promise<Page> {
    return this.post("/-/sign-in", { name, key, next });
  }

  /** The session that the forms of a page name; undefined for who has not signed in. */
  async sessionField(): Promise<string | undefined> {
    if (this.cookie === undefined) return undefined;
    const { text } = await this.get("/");
    return /name="session" value="([^"]+)"/.exec(text)?.[1];
  }

  async #send(
    request: string,
    headers: Readonly<Record<string, string>>,
    body: string | null,
  ): Promise<Page> {
    const sent = {
      Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
      ...(this.cookie !== undefined && { Cookie: this.cookie }),
      ...headers,
    };
    const answer = await this.client.ask(request, { headers: sent, body });
    const set = answer.headers.get("Set-Cookie");
    if (set !== null) this.cookie = /Max-Age=0/.test(set) ? undefined : set.split(";")[0];
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }
}
