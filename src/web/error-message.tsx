import type { RegistryError } from "../oci/error.ts";
import { shown } from "./text.ts";

/** What is said of errors that a visitor meets now and then, in his words. */
const headings: Readonly<Record<number, string>> = {
  401: "Please sign in",
  403: "This is not yours to see or do",
  404: "There is nothing here",
  405: "This is switched off",
  409: "This cannot be done now",
  412: "It has changed meanwhile",
  429: "Too many attempts",
  503: "Please try again",
};

/** An error as a page: the same code and message that the API gives. */
export function ErrorMessage({ error }: { readonly error: RegistryError }) {
  const { status, entries } = error;
  return (
    <section class="notice">
      <h1>{headings[status] ?? (status < 500 ? "This cannot be done" : "Something went wrong")}</h1>
      {entries.map(({ code, message }) => (
        <p>
          {shown(message)} <code>{code}</code>
        </p>
      ))}
    </section>
  );
}
