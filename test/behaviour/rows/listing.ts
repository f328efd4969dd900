import type { Row } from "../row.ts";
import type { World } from "../world.ts";

const names = ["1", "1-alpine", "1.0", "B", "_u", "a"];

/** An image with six tags, set in reverse order. */
async function sixTags(world: World): Promise<void> {
  const image = await world.image("image");
  for (const reference of [...names].reverse()) await world.push("image", image, { reference });
}

function tags(
  rule: string,
  condition: string,
  query: string,
  rest: Partial<Row> & { readonly tags?: readonly string[] },
): Row {
  const { tags: expected, ...more } = rest;
  return {
    rule,
    condition,
    given: sixTags,
    request: `GET /v2/app/tags/list${query}`,
    status: 200,
    ...(expected !== undefined && { content: { name: "app", tags: expected } }),
    ...more,
  };
}

const repositories = ["aaa", "aaa-x", "aaa.x", "aaa/bbb", "aab"];

async function fiveRepositories(world: World): Promise<void> {
  for (const name of [...repositories].reverse()) await world.image(name, { name });
}

function catalog(
  rule: string,
  condition: string,
  query: string,
  rest: Partial<Row> & { readonly found?: readonly string[] },
): Row {
  const { found, ...more } = rest;
  return {
    rule,
    condition,
    given: fiveRepositories,
    request: `GET /v2/_catalog${query}`,
    status: 200,
    ...(found !== undefined && { content: { repositories: found } }),
    ...more,
  };
}

const badNumber = {
  status: 400,
  errors: [{ code: "UNSUPPORTED", message: "invalid number of results requested" }],
};
const otherCode = {
  differs: { seed: "400 `PAGINATION_NUMBER_INVALID`", because: "OCI 127: the code is none of the list" },
};
const linkOf = (path: string, query: string) => ({ Link: `<${path}?${query}>; rel="next"` });
const tagLink = (query: string) => linkOf("/v2/app/tags/list", query);
const catalogLink = (query: string) => linkOf("/v2/_catalog", query);
const noLink = { Link: null };

/** Section F: lists of tags and of repositories. */
export const listing: readonly Row[] = [
  tags("F1", "all tags in the order of their bytes", "", { tags: names, answer: noLink }),
  tags("F1", "HEAD", "", {
    request: "HEAD /v2/app/tags/list",
    differs: { seed: "405", because: "RFC 9110 (OCI 5)" },
  }),
  ...[6, 7, 100000].map((n) =>
    tags("F2 F10", "`n` is not lower than what is left", `?n=${n}`, { tags: names, answer: noLink }),
  ),
  tags("F3", "`n` is lower than what is left", "?n=2", {
    tags: names.slice(0, 2),
    answer: tagLink("last=1-alpine&n=2"),
  }),
  tags("F3", "the page after that", "?last=1-alpine&n=2", {
    tags: names.slice(2, 4),
    answer: tagLink("last=B&n=2"),
  }),
  tags("F2 F3", "the last page", "?last=B&n=2", { tags: names.slice(4), answer: noLink }),
  tags("F4", "`n=0`", "?n=0", { tags: [], answer: noLink }),
  tags("F5", "`n` and `last` are empty", "?n=&last=", { tags: names }),
  ...["-1", "abc", "1.5", "1e3", "%2B3", "99999999999999999999"].map((n) =>
    tags("F6", "`n` that is no number of results", `?n=${n}`, {
      ...badNumber,
      ...(n === "%2B3" ? { differs: { seed: "200", because: "OCI 90: an integer" } } : otherCode),
    }),
  ),
  ...names.map((last, index) =>
    tags("F7", "`last` is a tag", `?last=${last}`, { tags: names.slice(index + 1), answer: noLink }),
  ),
  tags("F8", "`last` is no tag", "?last=A", {
    tags: names.slice(3),
    differs: { seed: "200 without the first of them", because: "M19" },
  }),
  tags("F8 F9", "`last` was deleted meanwhile", "?last=1.0&n=1", {
    given: async (world) => {
      await sixTags(world);
      await world.expect("DELETE /v2/app/manifests/1.0", 202);
    },
    tags: ["B"],
    answer: tagLink("last=B&n=1"),
    differs: { seed: "200 without the first of them", because: "M19" },
  }),
  tags("F9", "`1` before `1-alpine` before `1.0`, page by page", "?last=1&n=1", {
    tags: ["1-alpine"],
    answer: tagLink("last=1-alpine&n=1"),
  }),
  tags("F11", "a repository that is not there", "", {
    request: "GET /v2/nowhere/tags/list",
    status: 404,
    errors: [{ code: "NAME_UNKNOWN", detail: { name: "nowhere" } }],
  }),
  tags("F11", "a repository that is not there, and an `n` that is none", "", {
    request: "GET /v2/nowhere/tags/list?n=x",
    ...badNumber,
    differs: { seed: "404 `NAME_UNKNOWN`", because: "what is wrong in any repository is said first" },
  }),
  tags("F11", "a repository with manifests and no tag", "", {
    given: (world) => world.image("image"),
    tags: [],
    differs: { seed: "404 `NAME_UNKNOWN`", because: "OCI 87, OCI 88" },
  }),
  catalog("F20 F26", "all repositories in the order of their bytes", "", {
    found: repositories,
    answer: noLink,
    differs: { seed: "200, `aaa/bbb` before `aaa-x`, at most 100", because: "M19" },
  }),
  catalog("F20", "HEAD", "", {
    request: "HEAD /v2/_catalog",
    differs: { seed: "405", because: "RFC 9110 (OCI 5)" },
  }),
  catalog("F21", "`n` above 1000", "?n=1001", {
    status: 400,
    errors: [{ code: "UNSUPPORTED", detail: { n: 1001 } }],
    ...otherCode,
  }),
  ...["-1", "abc"].map((n) =>
    catalog("F22", "`n` that is no number of results", `?n=${n}`, { ...badNumber, ...otherCode }),
  ),
  catalog("F23", "`n=0`", "?n=0", { found: [], answer: noLink }),
  catalog("F24", "exactly `n` are left", "?n=5", {
    found: repositories,
    answer: noLink,
    differs: { seed: "200 with a Link to an empty page", because: "M19" },
  }),
  catalog("F24", "more than `n` are left", "?n=4", {
    found: repositories.slice(0, 4),
    answer: catalogLink("last=aaa%2Fbbb&n=4"),
  }),
  catalog("F25", "`last` is no repository", "?last=aaa-&n=2", {
    found: ["aaa-x", "aaa.x"],
    answer: catalogLink("last=aaa.x&n=2"),
  }),
  catalog("F26", "`last` has a slash", "?last=aaa%2Fbbb", { found: ["aab"] }),
  catalog("F27", "a repository whose name begins like another one, page by page", "?last=aaa&n=1", {
    found: ["aaa-x"],
    answer: catalogLink("last=aaa-x&n=1"),
    differs: { seed: "200 without it on S3", because: "M19" },
  }),
  catalog("F28", "no repositories", "", {
    given: () => Promise.resolve(),
    found: [],
  }),
  catalog("F28", "a repository that has only blobs is not listed", "", {
    given: (world) => world.blob("blob"),
    found: [],
  }),
];
