import { expect } from "vitest";
import { errorsOf, internals } from "../support/answers.ts";
import { pushImage, type TestManifest } from "../support/content.ts";
import { type Ask, type Client, createTestRegistry } from "../support/registry.ts";

/** A registry that holds one image, and lives through whatever is sent to it. */
export class Target {
  readonly client: Client;
  readonly image: TestManifest;
  /** Every key of the bucket. */
  readonly keys: () => readonly string[];

  private constructor(client: Client, image: TestManifest, keys: () => readonly string[]) {
    this.client = client;
    this.image = image;
    this.keys = keys;
  }

  static async create(): Promise<Target> {
    const registry = createTestRegistry();
    const client = registry.client();
    const image = await pushImage(client, "app", "1", "image");
    return new Target(client, image, () => Array.from(registry.r2.store.objects(), ({ key }) => key));
  }

  /**
   * Sends a request, and checks what holds for every answer: never a 5xx; a refusal stores nothing, is an error
   * envelope and tells nothing of the inside; the image is served afterwards.
   */
  async send(request: string, ask: Ask = {}): Promise<Response> {
    const before = this.keys();
    const answer = await this.client.ask(request, ask);
    const text = await answer.clone().text();
    expect(answer.status, text).toBeLessThan(500);
    if (answer.status >= 400) {
      expect(this.keys()).toEqual(before);
      expect(text).not.toMatch(internals);
      if (!request.startsWith("HEAD ")) errorsOf(text);
    }
    const alive = await this.client.ask("GET /v2/app/manifests/1");
    expect(alive.status).toBe(200);
    expect(alive.headers.get("Docker-Content-Digest")).toBe(this.image.digest);
    return answer;
  }

  /** As `send`, and the answer is a refusal. */
  async refuses(request: string, ask: Ask = {}): Promise<Response> {
    const answer = await this.send(request, ask);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    return answer;
  }
}
