import type { Child } from "hono/jsx";
import type { Session } from "../auth/sessions.ts";
import { Form } from "./form-element.tsx";

interface ConfirmationProperties {
  readonly heading: string;
  readonly session: Session | undefined;
  readonly action: string;
  readonly button: string;
  /** Where it leads not to go on. */
  readonly back: string;
  /** Whether the form is sent by itself where scripts run: it goes on with what was confirmed. */
  readonly goesOn?: boolean;
  readonly children: Child;
}

/** What will go, a button that does it, and the way back. */
export function Confirmation(properties: ConfirmationProperties) {
  const { heading, session, action, button, back, goesOn = false, children } = properties;
  return (
    <section class={goesOn ? "card" : "card confirm"}>
      <h1>{heading}</h1>
      {children}
      <Form session={session} action={action} goesOn={goesOn}>
        <button type="submit" class={goesOn ? undefined : "danger"}>
          {button}
        </button>
        <a href={back}>{goesOn ? "Leave it" : "Cancel"}</a>
      </Form>
    </section>
  );
}
