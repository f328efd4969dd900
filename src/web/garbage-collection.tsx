import { requireAdmin } from "../handlers/admin.ts";
import { announceExpiry, seeThrough } from "../handlers/context.ts";
import type { GcCounts, GcReport } from "../maintenance/gc/report.ts";
import { readReports, runGcStep } from "../maintenance/gc/run.ts";
import { gcStep } from "../maintenance/gc/settings.ts";
import type { GcState } from "../maintenance/gc/state.ts";
import { RegistryError } from "../oci/error.ts";
import type { Content, PageRequest } from "./content.ts";
import { Time } from "./elements.tsx";
import { Form } from "./form-element.tsx";
import { paths } from "./paths.ts";
import { count, shown, sizeText } from "./text.ts";

/** Reports that the page shows; each costs a read. */
const shownReports = 10;

/** GET `/-/garbage-collection`: the reports of the last passes, and the buttons for a step; for admins. */
export async function showGarbageCollection(request: PageRequest): Promise<Content> {
  requireAdmin(request.c);
  return overview(request, undefined);
}

/** POST of the same: one step of a pass or, with `dry-run=true`, a look at what it would take. */
export async function postGarbageCollection(request: PageRequest): Promise<Content> {
  const { c, form } = request;
  requireAdmin(c);
  const { store, config } = c.var.registry;
  const dryRun = form.get("dry-run") === "true";
  if (config.readOnly && !dryRun) {
    throw new RegistryError("UNSUPPORTED", { message: "the registry is read-only" });
  }
  const state = await seeThrough(
    c,
    runGcStep(store, gcStep(config, { every: 0, dryRun, onExpired: announceExpiry(c) })),
  );
  return overview(request, state);
}

async function overview({ c, visitor }: PageRequest, state: GcState | undefined): Promise<Content> {
  const { store, config } = c.var.registry;
  const reports = await readReports(store, shownReports);
  const body = (
    <>
      <h1>Garbage collection</h1>
      <p class="hint">
        {`What nothing refers to goes after ${count(config.gcGraceHours, "hour")}; the traces of deleted tags and manifests after ${count(config.gcTombstoneDays, "day")}. `}
        {config.gc ? "A pass runs by itself once a day." : "Passes do not run by themselves (GC=off)."}
      </p>
      <div class="row">
        <Form session={visitor.session} action={paths.garbageCollection}>
          <input type="hidden" name="dry-run" value="true" />
          <button type="submit">Dry run</button>
        </Form>
        {!config.readOnly && (
          <Form session={visitor.session} action={paths.garbageCollection}>
            <button type="submit" class="quiet">
              Run a step
            </button>
          </Form>
        )}
      </div>
      {state !== undefined && <Step state={state} />}
      <h2>Last passes</h2>
      {reports.length === 0 ? (
        <p class="empty">No pass has ended yet.</p>
      ) : (
        reports.map((report) => <Report report={report} />)
      )}
    </>
  );
  return { title: "Garbage collection", trail: [["Repositories", paths.home]], body };
}

function Step({ state: { phase, report } }: { readonly state: GcState }) {
  return (
    <section class="notice" role="status">
      <h2>{report.dryRun ? "What a pass would take" : "The step is done"}</h2>
      <p>{report.dryRun && phase !== "done" ? cutShort : phaseTexts[phase]}</p>
      <Counts report={report} />
    </section>
  );
}

/** A dry run keeps nothing, and so cannot go on. */
const cutShort = "One step sees no more than this: there is more to look at.";

const phaseTexts: Readonly<Record<GcState["phase"], string>> = {
  adoption: "The bucket is being looked through for what distribution wrote. Run further steps.",
  repositories: "The step ended among the repositories: a further one goes on.",
  blobs: "The step ended among the blobs: a further one goes on.",
  done: "The pass came to its end.",
};

function Report({ report }: { readonly report: GcReport }) {
  return (
    <section class="card report">
      <h3>
        <Time at={Date.parse(report.startedAt)} />
      </h3>
      <Counts report={report} />
    </section>
  );
}

const names: readonly (readonly [keyof GcCounts, string])[] = [
  ["repositories", "Repositories visited"],
  ["manifests", "Manifests read"],
  ["expiredTags", "Expired tags"],
  ["untaggedManifests", "Untagged manifests"],
  ["layerLinks", "Links of blobs"],
  ["blobs", "Blobs"],
  ["claims", "Claims"],
  ["tagTombstones", "Traces of tags"],
  ["manifestTombstones", "Traces of manifests"],
  ["uploadSegments", "Segments of uploads"],
  ["emptyRepositories", "Empty repositories"],
];

function Counts({ report: { counts, notes } }: { readonly report: GcReport }) {
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Freed</dt>
          <dd>{sizeText(counts.blobBytes + counts.uploadBytes)}</dd>
        </div>
        {names.map(([key, name]) => (
          <div>
            <dt>{name}</dt>
            <dd>{counts[key].toLocaleString("en")}</dd>
          </div>
        ))}
      </dl>
      {notes.length > 0 && (
        <ul class="plain">
          {notes.map((note) => (
            <li>{shown(note)}</li>
          ))}
        </ul>
      )}
    </>
  );
}
