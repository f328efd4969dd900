import { requireAdmin } from "../handlers/admin.ts";
import { repositoryFor } from "../handlers/context.ts";
import { verdicts } from "../handlers/retention.ts";
import { ruleFor } from "../maintenance/retention/rules.ts";
import type { Content, PageRequest } from "./content.ts";
import { Pages, Time } from "./elements.tsx";
import { trailOf } from "./manifest.tsx";
import { paths, withQuery } from "./paths.ts";
import { shown } from "./text.ts";

/** Tags on a page. */
const pageSize = 100;

/** GET `/-/repositories/<name>/-/retention`: which tags the rule keeps, and why; for admins. Changes nothing. */
export async function showRetention({ c }: PageRequest): Promise<Content> {
  requireAdmin(c);
  const name = repositoryFor(c, "pull");
  const rule = ruleFor(c.var.registry.config.retention, name);
  const after = c.req.query("after") || undefined;
  const found = rule === undefined ? [] : await verdicts(c.var.registry, name, pageSize + 1, after);
  const page = found.slice(0, pageSize);
  const here = paths.retention(name);
  const body = (
    <>
      <h1>{`Retention of ${name}`}</h1>
      <p class="hint">
        What a pass of garbage collection would do by the rule of this repository now. Nothing is changed
        here.
      </p>
      {rule === undefined ? (
        <p class="empty">No rule is for this repository: every tag and manifest stays.</p>
      ) : (
        <code class="steps">{shown(JSON.stringify(rule))}</code>
      )}
      {page.length > 0 && (
        <div class="table">
          <table>
            <thead>
              <tr>
                <th scope="col">Tag</th>
                <th scope="col">Set</th>
                <th scope="col">Verdict</th>
                <th scope="col">Because</th>
              </tr>
            </thead>
            <tbody>
              {page.map(({ tag, head, verdict }) => (
                <tr>
                  <th scope="row">
                    <a href={paths.manifest(name, tag)}>{tag}</a>
                  </th>
                  <td>
                    <Time at={head.at} />
                  </td>
                  <td>{verdict.keeps ? "stays" : <strong class="problem">goes</strong>}</td>
                  <td>{shown(verdict.because)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pages
        first={after && here}
        next={found.length > pageSize ? withQuery(here, { after: page.at(-1)?.tag }) : undefined}
      />
    </>
  );
  return { title: `Retention of ${name}`, trail: trailOf(name), body };
}
