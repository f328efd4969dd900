import { pages } from "../maintenance/pages.ts";
import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import type { Store } from "../storage/store.ts";
import type { Job } from "./job.ts";

/** What a listing tells of an import. */
export interface ListedJob {
  readonly id: string;
  readonly state: Job["state"];
  readonly repository: RepositoryName | undefined;
  /** When it was last written; Unix time in milliseconds. */
  readonly at: number;
}

/** All imports that the bucket remembers, open or over, in no order that means anything: one list for a thousand. */
export async function listImports(store: Store): Promise<readonly ListedJob[]> {
  const listed: ListedJob[] = [];
  for await (const page of pages(store, store.layout.imports(), { metadata: true })) {
    for (const { key, customMetadata = {}, uploaded } of page) {
      const parsed = store.layout.parse(key);
      if (parsed?.kind !== "importJob") continue;
      listed.push({
        id: parsed.id,
        state: stateOf(customMetadata.state),
        repository: tryParseRepositoryName(customMetadata.repository ?? ""),
        at: uploaded.getTime(),
      });
    }
  }
  return listed;
}

/** A copy of the bucket may have lost the metadata: then the job itself has to say. */
function stateOf(text: string | undefined): Job["state"] {
  return text === "done" || text === "failed" || text === "cancelled" ? text : "open";
}
