import type { RepositoryName, Tag } from "../../oci/name.ts";

/** What following another registry takes besides the store. */
export interface Following {
  /** Whether a tag may only ever name one manifest. */
  readonly isImmutable: (name: RepositoryName, tag: Tag) => boolean;
  /** Called, and waited for, before anything that another registry wrote is adopted. */
  readonly onForeign: () => Promise<void>;
}
