import { shown, webUrl } from "./text.ts";

/** Rows of a table of names and values at most. */
const maxPairs = 300;

/** A time in UTC; the script turns it into the visitor's. @param at Unix time in milliseconds. */
export function Time({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString();
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`}</time>;
}

/** A command to copy: by hand, or by the button that the script shows. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      <code>{shown(text)}</code>
      <button type="button" class="quiet" data-copy={text} hidden aria-label={`Copy: ${shown(text)}`}>
        Copy
      </button>
    </div>
  );
}

interface PairsProperties {
  readonly heading: string;
  readonly pairs: readonly (readonly [string, string])[];
}

/** Names with their values, such as labels; nothing if there are none. Values that are URLs are links. */
export function Pairs({ heading, pairs }: PairsProperties) {
  if (pairs.length === 0) return null;
  return (
    <section>
      <h2>{heading}</h2>
      <table class="pairs">
        <tbody>
          {pairs.slice(0, maxPairs).map(([key, value]) => (
            <tr>
              <th scope="row">{shown(key)}</th>
              <td>
                <Value text={value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {pairs.length > maxPairs && <p class="hint">{`${pairs.length - maxPairs} more are not shown.`}</p>}
    </section>
  );
}

function Value({ text }: { readonly text: string }) {
  const url = webUrl(text);
  if (url === undefined) return <code class="steps">{shown(text)}</code>;
  return (
    <a href={url} rel="noopener noreferrer nofollow">
      {shown(text)}
    </a>
  );
}

interface PagesProperties {
  /** Where the first page is; undefined on that page. */
  readonly first: string | undefined;
  /** Where the next page is; undefined on the last. */
  readonly next: string | undefined;
}

/** The way through a list of several pages; nothing if there is one page. */
export function Pages({ first, next }: PagesProperties) {
  if (first === undefined && next === undefined) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {first !== undefined && <a href={first}>First page</a>}
      {next !== undefined && <a href={next}>Next page</a>}
    </nav>
  );
}
