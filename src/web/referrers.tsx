import type { RepositoryName } from "../oci/name.ts";
import { paths } from "./paths.ts";
import { artifactKind, type FoundReferrers } from "./referrers-of.ts";
import { shortDigest, shown, sizeText } from "./text.ts";

/** Referrers that a page lists. */
const maxRows = 200;

interface ReferrersProperties {
  readonly name: RepositoryName;
  readonly found: FoundReferrers;
}

/** Signatures, SBOMs, attestations and what else refers to a manifest. */
export function Referrers({ name, found }: ReferrersProperties) {
  const { descriptors, tags, more } = found;
  if (descriptors.length + tags.length === 0 && !more) return null;
  return (
    <section>
      <h2>Referrers</h2>
      <div class="table">
        <table class="wide">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Artifact type</th>
              <th scope="col">Manifest</th>
              <th scope="col" class="number">
                Manifest size
              </th>
            </tr>
          </thead>
          <tbody>
            {descriptors.slice(0, maxRows).map(({ digest, artifactType = "", mediaType, size }) => (
              <tr>
                <th scope="row">{artifactKind(artifactType)}</th>
                <td>
                  <code>{shown(artifactType || mediaType)}</code>
                </td>
                <td>
                  <a class="code" href={paths.manifest(name, digest)}>
                    {shortDigest(digest)}
                  </a>
                </td>
                <td class="number">{sizeText(size)}</td>
              </tr>
            ))}
            {tags.map((tag) => (
              <tr>
                <th scope="row">{artifactKind(tag)}</th>
                <td>by a tag of cosign</td>
                <td>
                  <a class="code" href={paths.manifest(name, tag)}>
                    {tag.slice(tag.lastIndexOf("."))}
                  </a>
                </td>
                <td></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(more || descriptors.length > maxRows) && <p class="hint">There are more than these.</p>}
    </section>
  );
}
