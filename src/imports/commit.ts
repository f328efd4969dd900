import type { Digest } from "../oci/digest.ts";
import { RegistryError } from "../oci/error.ts";
import type { RepositoryName } from "../oci/name.ts";
import { commitBlob } from "../storage/commit.ts";
import type { Content } from "../storage/content.ts";
import type { GuardWatch } from "../storage/guard.ts";
import { unreachable } from "../upstream/upstream-error.ts";
import type { Importer } from "./importer.ts";

/**
 * Makes what an upstream has sent a blob of the repository, as the commit of an upload does.
 * @param guard begun before anything that the commit relies on was looked at.
 * @param session whose `proof` key is used should the bytes be here by now.
 * @throws UpstreamError 502 when the content has another digest: nothing is stored; what commitBlob throws.
 */
export async function commitChecked(
  { store, singlePutLimit }: Importer,
  name: RepositoryName,
  digest: Digest,
  content: Content,
  guard: GuardWatch,
  session: string = crypto.randomUUID(),
): Promise<void> {
  const proofKey = store.layout.proof(name, session);
  try {
    await commitBlob(store, { name, digest, content, guard, proofKey, singlePutLimit });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.entries[0]?.code !== "DIGEST_INVALID") throw error;
    throw unreachable(`bytes that are not those of ${digest}`);
  }
}
