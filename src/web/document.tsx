import type { RegistryContext } from "../handlers/context.ts";
import { version } from "../version.ts";
import type { AssetPaths } from "./assets/assets.ts";
import type { Content } from "./content.ts";
import { Form } from "./form-element.tsx";
import { paths } from "./paths.ts";
import { canSignIn, isTrusted, type Visitor } from "./visitor.ts";

interface Frame {
  readonly c: RegistryContext;
  /** undefined if it could not be found out who looks. */
  readonly visitor: Visitor | undefined;
  readonly content: Content;
  readonly assets: AssetPaths;
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 12l4-7 3 4 2-3 5 6z' fill='%231f6f78'/%3E%3C/svg%3E";

/** The frame of every page: head, navigation, the way here, and what is shown. */
export function Document({ c, visitor, content, assets }: Frame) {
  const { title, trail = [], body } = content;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title === "Repositories" ? "Skerry" : `${title} · Skerry`}</title>
        <link rel="icon" href={icon} />
        <link rel="stylesheet" href={assets.style} />
        <script src={assets.script} defer></script>
      </head>
      <body>
        <a class="skip" href="#content">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href={paths.home}>
            <svg viewBox="0 0 24 16" width="30" height="20" aria-hidden="true">
              <path d="M1 14 8 3l4 6 3-4 8 9z" />
            </svg>
            Skerry
          </a>
          <Navigation c={c} visitor={visitor} />
        </header>
        {trail.length > 0 && (
          <nav class="trail" aria-label="Breadcrumb">
            <ol>
              {trail.map(([text, path]) => (
                <li>
                  <a href={path}>{text}</a>
                </li>
              ))}
            </ol>
          </nav>
        )}
        <main id="content" tabindex={-1}>
          {body}
        </main>
        <footer>
          Skerry {version} at {c.var.url.host}
        </footer>
      </body>
    </html>
  );
}

function Navigation({ c, visitor }: Pick<Frame, "c" | "visitor">) {
  if (visitor === undefined) return null;
  const { access, session } = visitor;
  return (
    <nav class="menu" aria-label="Main">
      <a href={paths.home}>Repositories</a>
      {isTrusted(c, visitor) && <a href={paths.storage}>Storage</a>}
      {access.admin && <a href={paths.garbageCollection}>Garbage collection</a>}
      {session === undefined ? (
        c.var.registry.auth.takesCredentials && canSignIn(c) && <a href={paths.signIn}>Sign in</a>
      ) : (
        <Form session={session} action={paths.signOut} class="sign-out">
          <span class="account">{session.account}</span>
          <button type="submit" class="quiet">
            Sign out
          </button>
        </Form>
      )}
    </nav>
  );
}
