import { expectStatus, putManifest, type TestManifest } from "../support/content.ts";
import type { Client } from "../support/registry.ts";

/** Tags that one PUT sets. */
const together = 50;

/** Sets `count` tags to an image that is there: `<prefix>00000`, `<prefix>00001` and so on. */
export async function tagMany(
  client: Client,
  name: string,
  image: TestManifest,
  count: number,
  prefix: string,
): Promise<readonly string[]> {
  const tags = Array.from({ length: count }, (_, index) => prefix + String(index).padStart(5, "0"));
  for (let from = 0; from < count; from += together) {
    const query = tags
      .slice(from, from + together)
      .map((tag) => `tag=${tag}`)
      .join("&");
    await expectStatus(putManifest(client, name, `${image.digest}?${query}`, image), 201);
  }
  return tags;
}

/** The tags of a repository. */
export async function tagsOf(client: Client, name: string): Promise<readonly string[]> {
  const answer = await expectStatus(client.ask(`GET /v2/${name}/tags/list`), 200);
  return (await answer.json<{ readonly tags: readonly string[] }>()).tags;
}
