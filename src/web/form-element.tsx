import type { Child } from "hono/jsx";
import type { Session } from "../auth/sessions.ts";
import { sessionField } from "./form.ts";

interface FormProperties {
  readonly session: Session | undefined;
  readonly action: string;
  readonly class?: string;
  /** Whether the script sends it by itself. */
  readonly goesOn?: boolean;
  readonly children?: Child;
}

/** A form that changes something, with the session that it is made for. */
export function Form({ session, action, class: className, goesOn = false, children }: FormProperties) {
  return (
    <form method="post" action={action} class={className} data-goes-on={goesOn || undefined}>
      {session !== undefined && <input type="hidden" name={sessionField} value={session.id} />}
      {children}
    </form>
  );
}
