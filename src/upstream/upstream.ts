import * as v from "valibot";
import { readSecretJson } from "../auth/secret-json.ts";
import { type RepositoryName, tryParseRepositoryName } from "../oci/name.ts";
import { isPublicHost } from "../oci/public-url.ts";

/** What the registry shows to an upstream that asks for it. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Another registry whose repositories are pulled through this one. */
export interface Upstream {
  /** Its repositories are ours below this name. */
  readonly prefix: RepositoryName;
  /** Scheme and host. */
  readonly url: URL;
  /** Host names of ours on which every name is one of the upstream's. */
  readonly hosts: readonly string[];
  /** Seconds for which a tag is believed without asking. */
  readonly fresh: number;
  /** Patterns of the upstream's repository names; undefined: all of them. */
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
  /** Whether a name of one component stands for one below `library/`. */
  readonly library: boolean;
  /** Milliseconds within which the upstream must have answered, logins and redirects included. */
  readonly timeout: number;
  /** Hosts besides its own whose token servers get the credentials. */
  readonly realms: readonly string[];
  /** Whether it may be spoken to by plain http. */
  readonly insecure: boolean;
  /** Whether its addresses may be those of an inner network. */
  readonly private: boolean;
}

/** The hosts under which Docker Hub is known. */
const dockerHub: readonly string[] = [
  "registry-1.docker.io",
  "index.docker.io",
  "docker.io",
  "registry.hub.docker.com",
];
const dockerHubRealm = "auth.docker.io";

const defaultFresh = 300;
const defaultTimeout = 5000;

const prefix = v.pipe(
  v.string(),
  v.maxLength(120),
  v.rawTransform(({ dataset, addIssue, NEVER }): RepositoryName => {
    const name = tryParseRepositoryName(dataset.value);
    if (name !== undefined) return name;
    addIssue({ message: "a repository name expected, such as docker.io" });
    return NEVER;
  }),
);

const origin = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): URL => {
    const url = URL.parse(dataset.value);
    if (url !== null && isOrigin(url)) return url;
    addIssue({ message: "scheme and host expected, such as https://registry-1.docker.io" });
    return NEVER;
  }),
);

/** A host with its port, if it has one, in lower case. */
const host = v.pipe(v.string(), v.toLowerCase(), v.regex(/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/));

/** A repository name of the upstream in which `*` stands for any characters, slashes included. */
const pattern = v.pipe(v.string(), v.regex(/^[a-z0-9*][a-z0-9._/*-]{0,254}$/));

const entry = v.pipe(
  v.strictObject({
    prefix,
    url: origin,
    hosts: v.optional(v.array(host), []),
    fresh: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31_536_000)), defaultFresh),
    allow: v.optional(v.array(pattern)),
    deny: v.optional(v.array(pattern), []),
    library: v.optional(v.boolean()),
    timeout: v.optional(v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(60_000)), defaultTimeout),
    realms: v.optional(v.array(host), []),
    insecure: v.optional(v.boolean(), false),
    private: v.optional(v.boolean(), false),
  }),
  v.check(({ url, insecure }) => insecure || url.protocol === "https:", "https expected, or insecure: true"),
  v.check(
    (upstream) => upstream.private || isPublicHost(upstream.url),
    "a public name expected, or private: true",
  ),
);

const upstreamsSchema = v.pipe(
  v.array(entry),
  v.check((upstreams) => areUnlike(upstreams.map((upstream) => upstream.prefix)), "a prefix twice"),
  v.check((upstreams) => areUnlike(upstreams.flatMap(({ hosts }) => hosts)), "a host twice"),
);

/**
 * The upstreams of UPSTREAMS: `[{"prefix": "docker.io", "url": "https://registry-1.docker.io"}, …]`.
 * @throws Error that says where it is wrong.
 */
export function parseUpstreams(text: string): readonly Upstream[] {
  return readSecretJson(upstreamsSchema, text).map((given) => {
    const isDockerHub = dockerHub.includes(given.url.hostname);
    return {
      ...given,
      allow: given.allow,
      library: given.library ?? isDockerHub,
      realms: isDockerHub ? [...given.realms, dockerHubRealm] : given.realms,
    };
  });
}

const credentialsSchema = v.record(
  v.string(),
  v.strictObject({ username: v.string(), password: v.string() }),
);

/**
 * The credentials of UPSTREAM_CREDENTIALS by prefix: `{"docker.io": {"username": …, "password": …}}`.
 * @throws Error that says where it is wrong, and nothing of what stands there.
 */
export function parseUpstreamCredentials(text: string): ReadonlyMap<string, Credentials> {
  return new Map(text === "" ? [] : Object.entries(readSecretJson(credentialsSchema, text)));
}

function isOrigin(url: URL): boolean {
  return (
    /^https?:$/.test(url.protocol) &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === "" &&
    url.password === ""
  );
}

function areUnlike(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
