import type { RepositoryName, Tag } from "../oci/name.ts";
import type { Store } from "./store.ts";
import { readTag, readTagHead, type TagState } from "./tag-register.ts";

/** Nothing can be read of a tag's register. */
export class DamagedTag extends Error {}

/**
 * The tag; where only its register's body is damaged, what the metadata says.
 * @throws DamagedTag if nothing can be read: that must not stand in the way of other tags (M5).
 */
export async function readDamagedTag(store: Store, name: RepositoryName, tag: Tag): Promise<TagState> {
  try {
    return await readTag(store, name, tag);
  } catch (error) {
    if (!isDamage(error)) throw error;
    console.warn("the register of a tag is damaged", name, tag, error);
  }
  try {
    return { ...(await readTagHead(store, name, tag)), history: [] };
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new DamagedTag("the register of a tag is damaged", { cause: error });
  }
}

/** Whether reading a register failed because of what it holds. */
export function isDamage(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError;
}
