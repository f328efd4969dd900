import type { Descriptor } from "../oci/descriptor.ts";
import { type HistoryEntry, layerSteps } from "./image-config.ts";
import { compared, type SharedLayers } from "./shared-layers.ts";
import { count, shortDigest, shown, sizeText } from "./text.ts";

/** Tags with the same layer that a row names. */
const maxTags = 3;
/** Units of the drawing's width. */
const width = 1000;

interface LayersProperties {
  readonly layers: readonly Descriptor[];
  /** The steps of the image's history; empty if it has none. */
  readonly history: readonly HistoryEntry[];
  readonly shared: SharedLayers;
}

/** The layers of an image: to scale, each with the step that made it. */
export function Layers({ layers, history, shared }: LayersProperties) {
  if (layers.length === 0) return null;
  const steps = layerSteps(history, layers.length);
  const largest = Math.max(1, ...layers.map(({ size }) => size));
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  return (
    <section>
      <h2>Layers</h2>
      <Scale layers={layers} shared={shared} total={total} />
      <div class="table">
        <table>
          <caption>
            {`${count(layers.length, "layer")}, ${sizeText(total)}, the first at the bottom of the image. Grey: shared with another of the newest ${compared} tags.`}
          </caption>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Size</th>
              <th scope="col">{steps === undefined ? "Media type" : "Made by"}</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer, index) => (
              <tr>
                <th scope="row">
                  {index + 1}
                  <br />
                  <code title={layer.digest}>{shortDigest(layer.digest)}</code>
                </th>
                <td>
                  {sizeText(layer.size)}
                  <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                    <rect
                      class={toneOf(layer, index, shared)}
                      width={share(layer.size, largest, 100)}
                      height="8"
                    />
                  </svg>
                </td>
                <td>
                  <code class="steps">{shown(steps?.[index]?.createdBy || layer.mediaType)}</code>
                  <Sharers layer={layer} shared={shared} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {history.length > 0 && steps === undefined && (
        <p class="hint">The image's history does not fit to its layers, so no step is told beside them.</p>
      )}
    </section>
  );
}

interface ScaleProperties {
  readonly layers: readonly Descriptor[];
  readonly shared: SharedLayers;
  readonly total: number;
}

function Scale({ layers, shared, total }: ScaleProperties) {
  let before = 0;
  const blocks = layers.map((layer, index) => {
    const x = share(before, Math.max(total, 1), width);
    before += layer.size;
    return (
      <rect
        class={`gap ${toneOf(layer, index, shared)}`}
        x={x}
        width={share(layer.size, Math.max(total, 1), width)}
        height="20"
      >
        <title>{`Layer ${index + 1}: ${sizeText(layer.size)}`}</title>
      </rect>
    );
  });
  return (
    <svg
      class="scale"
      viewBox={`0 0 ${width} 20`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${count(layers.length, "layer")} to scale, ${sizeText(total)} in all`}
    >
      {blocks}
    </svg>
  );
}

function Sharers({ layer, shared }: { readonly layer: Descriptor; readonly shared: SharedLayers }) {
  const tags = shared.get(layer.digest) ?? [];
  if (tags.length === 0) return null;
  const rest = tags.length - maxTags;
  return (
    <p class="hint">
      {`Shared with ${tags.slice(0, maxTags).join(", ")}${rest > 0 ? ` and ${count(rest, "more tag")}` : ""}`}
    </p>
  );
}

function toneOf({ digest }: Descriptor, index: number, shared: SharedLayers): string {
  return shared.has(digest) ? "tone-shared" : `tone-${index % 4}`;
}

/** `part` of `whole`, in units of a drawing that is `units` wide. */
function share(part: number, whole: number, units: number): string {
  return ((part / whole) * units).toFixed(2);
}
