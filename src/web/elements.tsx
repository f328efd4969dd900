import { shown } from "./text.ts";

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
