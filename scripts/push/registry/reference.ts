import { type Digest, tryParseDigest } from "../../../src/oci/digest.ts";
import { type RepositoryName, type Tag, tryParseRepositoryName, tryParseTag } from "../../../src/oci/name.ts";

/** An image in a registry, as `docker pull` takes it. */
export interface ImageReference {
  /** `host` or `host:port`, as it was written; `docker.io` where there was none. */
  readonly host: string;
  readonly name: RepositoryName;
  /** `latest` where neither a tag nor a digest was written. */
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

const dockerHub = "docker.io";
const dockerHubEndpoint = "registry-1.docker.io";

/**
 * Reads `[host[:port]/]name[:tag][@digest]`. As with docker, what stands before the first slash is a host only if it
 * is `localhost` or has a dot, a colon or a capital letter in it, and Docker Hub is meant without one; a name of one part
 * there is below `library/`.
 * @throws Error that says what is wrong with the text.
 */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest = "", digestText, ...more] = text.split("@");
  const slash = beforeDigest.indexOf("/");
  const first = beforeDigest.slice(0, Math.max(slash, 0));
  const hasHost = first === "localhost" || /[.:A-Z]/.test(first);
  const rest = hasHost ? beforeDigest.slice(slash + 1) : beforeDigest;
  const [path = "", tagText, ...others] = rest.split(":");
  const host = hasHost ? first : dockerHub;
  const isOfficial = host === dockerHub && !path.includes("/");
  const name = tryParseRepositoryName(isOfficial ? `library/${path}` : path);
  const digest = digestText === undefined ? undefined : tryParseDigest(digestText);
  const tag = tagText === undefined ? undefined : tryParseTag(tagText);
  if (name === undefined)
    throw new Error(`${text}: "${path}" is no repository name (lower case, such as team/app)`);
  if (more.length > 0 || (digestText !== undefined && digest === undefined)) {
    throw new Error(`${text}: "${digestText}" is no digest (sha256:… or sha512:…)`);
  }
  if (others.length > 0 || (tagText !== undefined && tag === undefined)) {
    throw new Error(`${text}: "${[tagText, ...others].join(":")}" is no tag`);
  }
  const isBare = tag === undefined && digest === undefined;
  return { host, name, tag: isBare ? ("latest" as Tag) : tag, digest };
}

/** The reference as text, in full. */
export function printImageReference({ host, name, tag, digest }: ImageReference): string {
  return `${host}/${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/**
 * Where a registry answers.
 * @param plainHttp whether it is asked without TLS; if undefined, only at a loopback address.
 */
export function registryUrl(host: string, plainHttp: boolean | undefined): URL {
  const isPlain = plainHttp ?? isLoopback(host);
  return new URL(`${isPlain ? "http" : "https"}://${host === dockerHub ? dockerHubEndpoint : host}`);
}

/** Whether a `host` or `host:port` is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
}
