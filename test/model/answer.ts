/** What model and registry must agree on. */
export interface Answer {
  readonly status: number;
  /** Of the error envelope; of a MANIFEST_BLOB_UNKNOWN with the digest that is missing. Never for HEAD. */
  readonly errors: readonly string[];
  /** Those of `told` that the answer has, by their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON of a listing, text of content; empty for an error. */
  readonly body: unknown;
}

/** The headers that are compared. */
export const told = [
  "allow",
  "content-type",
  "docker-content-digest",
  "etag",
  "link",
  "oci-filters-applied",
  "oci-subject",
  "oci-tag",
] as const;

/** The answer of a registry, as far as it is compared. */
export async function answerOf(response: Response, method: string): Promise<Answer> {
  const headers = Object.fromEntries(
    told.flatMap((name) => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const text = await response.text();
  const isJson = method !== "HEAD" && text !== "" && headers["content-type"]?.includes("json") === true;
  if (response.status < 400)
    return { status: response.status, errors: [], headers, body: bodyOf(headers, text) };
  const { errors } = isJson
    ? (JSON.parse(text) as { errors: { code: string; detail?: unknown }[] })
    : { errors: [] };
  return {
    status: response.status,
    errors: errors.map(({ code, detail }) =>
      code === "MANIFEST_BLOB_UNKNOWN" ? `${code} ${String(detail)}` : code,
    ),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "content-type")),
    body: "",
  };
}

/** A listing is compared as JSON; manifests and blobs, which have a digest, byte for byte. */
function bodyOf(headers: Record<string, string>, text: string): unknown {
  const isListing = headers["docker-content-digest"] === undefined && text !== "";
  return isListing ? JSON.parse(text) : text;
}
