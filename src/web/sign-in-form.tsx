import { paths } from "./paths.ts";

interface SignInProperties {
  /** Where to go afterwards. */
  readonly next: string;
  /** Whether there is anybody to sign in as, and a way on which cookies are kept. */
  readonly possible: boolean;
  /** What was wrong with the last try; empty for the first. */
  readonly message: string;
  /** The name that was given with it. */
  readonly name: string;
}

/** The form for name and key. */
export function SignInForm({ next, possible, message, name }: SignInProperties) {
  return (
    <section class="sign-in card">
      <h1>Sign in</h1>
      {possible ? (
        <form method="post" action={paths.signIn}>
          {message !== "" && (
            <p class="problem" role="alert">
              {message}
            </p>
          )}
          <input type="hidden" name="next" value={next} />
          <label for="name">Account</label>
          <input id="name" name="name" value={name} autocomplete="username" autocapitalize="none" required />
          <label for="key">Key</label>
          <input id="key" name="key" type="password" autocomplete="current-password" required />
          <button type="submit">Sign in</button>
          <p class="hint">The name and key with which docker logs in.</p>
        </form>
      ) : (
        <p>
          Nobody can sign in here: the registry has no accounts, or this page came over plain http, over which
          a key must not be sent.
        </p>
      )}
    </section>
  );
}
