import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageIndex } from "../oci/manifest.ts";
import type { RepositoryName } from "../oci/name.ts";
import { mapBounded } from "../storage/bounded.ts";
import type { NearContent } from "../storage/near-content.ts";
import { paths } from "./paths.ts";
import { childPlatform, imageSize, readParsed } from "./tag-rows.ts";
import { count, shortDigest, shown, sizeText } from "./text.ts";

/** Children whose manifests are read for their sizes. */
const maxRead = 32;
/** Children that a page lists. */
const maxRows = 200;

/** What a page tells of an index. */
export interface IndexFacts {
  readonly children: readonly Descriptor[];
  /** Bytes that a pull of a child fetches, as far as it was read and is an image. */
  readonly sizes: ReadonlyMap<Digest, number>;
}

/** Reads what a page tells of an index: the manifests of its first 32 children. */
export async function indexViewOf(
  near: NearContent,
  name: RepositoryName,
  { manifests }: ImageIndex,
): Promise<IndexFacts> {
  const sizes = new Map<Digest, number>();
  await mapBounded(manifests.slice(0, maxRead), near.store.concurrency, async ({ digest }) => {
    const child = await readParsed(near, name, digest);
    if (child?.kind === "image") sizes.set(digest, imageSize(child));
  });
  return { children: manifests, sizes };
}

interface IndexViewProperties {
  readonly name: RepositoryName;
  readonly view: IndexFacts;
}

/** The platforms of an index. */
export function IndexView({ name, view: { children, sizes } }: IndexViewProperties) {
  return (
    <section>
      <h2>Platforms</h2>
      <div class="table">
        <table>
          <caption>{count(children.length, "manifest")}</caption>
          <thead>
            <tr>
              <th scope="col">Platform</th>
              <th scope="col">Manifest</th>
              <th scope="col" class="number">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {children.slice(0, maxRows).map((child) => (
              <tr>
                <th scope="row">{shown(childName(child))}</th>
                <td>
                  <a class="code" href={paths.manifest(name, child.digest)} title={child.digest}>
                    {shortDigest(child.digest)}
                  </a>
                </td>
                <td class="number">{sizeOf(sizes.get(child.digest))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {children.length > maxRows && <p class="hint">{`${children.length - maxRows} more are not shown.`}</p>}
    </section>
  );
}

/** What a child is: BuildKit marks its attestations by an annotation. */
function childName(child: Descriptor): string {
  const platform = childPlatform(child);
  if (platform !== "") return platform;
  if (child.annotations?.["vnd.docker.reference.type"] === "attestation-manifest") return "attestation";
  return child.artifactType || "any platform";
}

function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? "unknown" : sizeText(bytes);
}
