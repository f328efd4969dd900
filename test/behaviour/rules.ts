/** Every rule of distribution's behaviour that concerns manifests, tags, listings and the envelope. */
export const rules: readonly string[] = [
  ...numbered("P", 1, 15),
  ...numbered("A", 1, 4),
  ...numbered("A", 10, 13),
  ...numbered("A", 20, 43),
  ...numbered("A", 50, 69),
  ...numbered("A", 70, 77),
  ...numbered("A", 80, 97),
  ...numbered("B", 1, 7),
  ...numbered("B", 10, 14),
  ...numbered("B", 20, 22),
  ...numbered("D", 1, 10),
  "D.1",
  "D.3",
  ...numbered("F", 1, 11),
  ...numbered("F", 20, 29),
];

/** Every error code of distribution (section H). */
export const codes: readonly string[] = [
  "UNKNOWN",
  "UNSUPPORTED",
  "UNAUTHORIZED",
  "DENIED",
  "UNAVAILABLE",
  "TOOMANYREQUESTS",
  "DIGEST_INVALID",
  "SIZE_INVALID",
  "RANGE_INVALID",
  "NAME_INVALID",
  "TAG_INVALID",
  "NAME_UNKNOWN",
  "MANIFEST_UNKNOWN",
  "MANIFEST_INVALID",
  "MANIFEST_UNVERIFIED",
  "MANIFEST_BLOB_UNKNOWN",
  "BLOB_UNKNOWN",
  "BLOB_UPLOAD_UNKNOWN",
  "BLOB_UPLOAD_INVALID",
  "PAGINATION_NUMBER_INVALID",
];

const wireTests = "[test/wire](../test/wire/cut-uploads.node.test.ts)";
const interleavings = "[test/interleavings](../test/interleavings/explore.ts)";
const budgets = "[docs/budgets.md](budgets.md)";
const uploadTests = "[test/wire](../test/wire/uploads.node.test.ts)";

/** Rules and codes that no row shows, each with the reason: shown elsewhere, or without a counterpart here. */
export const notHere: Readonly<Record<string, string>> = {
  P2: "There are no health checks beside the requests themselves: no server, disk or connection of its own.",
  P15: "A Go panic. Whatever is thrown here becomes a 500 in the JSON envelope.",
  A51: `A client that disconnects needs a socket: ${wireTests}.`,
  A66: "R2 does not refuse access: a binding has it.",
  A97: "There are no notifications.",
  B6: "A function of distribution's own library that no handler calls. The history of a tag is docs/api.md's.",
  B10: `The limit is \`CONCURRENCY_LIMIT\`, six by default: what Workers let wait at once. Counted in ${budgets}.`,
  B11: `One limit for looking up and for untagging. Counted in ${budgets}.`,
  B12: "A delete asks for the tags on its list, and a failure of one does not stop the others (A91, A92).",
  B13: `No cancelled context reaches the bucket: a delete goes on when the client hangs up (\`waitUntil\`); a crash in the middle is explored in ${interleavings}.`,
  F29: `What a listing costs: ${budgets}.`,
  UNAVAILABLE: "Not on the specification's list of codes. A 503 says TOOMANYREQUESTS with Retry-After.",
  TOOMANYREQUESTS: "Failed logins, and writes that others keep getting in the way of.",
  SIZE_INVALID: `Uploads: ${uploadTests}.`,
  RANGE_INVALID:
    "Not on the specification's list: a 416 says BLOB_UPLOAD_INVALID, or SIZE_INVALID for a blob.",
  TAG_INVALID: "Not on the specification's list, and not reachable in distribution: see A58.",
  MANIFEST_UNVERIFIED: "Not on the specification's list. It belonged to schema 1.",
  BLOB_UPLOAD_INVALID: `Uploads: ${uploadTests}.`,
  PAGINATION_NUMBER_INVALID: "Not on the specification's list: see F6 and F22.",
};

/** The defects of distribution that rows name as the reason of a difference (section M). */
export const defects: Readonly<Record<string, string>> = {
  M1: "A delete by digest removes the manifest first; if the rest fails, its tags dangle and a retry is a 404.",
  M2: "A delete by digest whose tags cannot all be removed answers 202 with an error as its body.",
  M5: "One link that cannot be read blocks every delete of the repository.",
  M7: "A digest of another algorithm or form is taken for a tag, and fails in the storage driver.",
  M8: "Absent and wildcard Accept match no OCI manifest; weights are ignored.",
  M9: "A manifest list is rewritten for clients that would take it, and compared with its own ETag where the child is sent.",
  M10: "A 304 needs no manifest, and neither lists nor weak tags nor `*` are understood.",
  M11: "Invalid manifests are answered by a 500.",
  M12: "A manifest that is too large is a 400.",
  M13: "sha512 is refused for manifests.",
  M14: "What a manifest is can be read in two ways: keys in any letter case or twice, an index with a config, a bare index.",
  M15: "Odd JSON in the storage ends the connection.",
  M16: "Tags can be deleted where deletes are switched off.",
  M17: "A digest of an unsupported algorithm is ignored by a delete.",
  M18: "Errors tell paths and texts of the storage driver.",
  M19: "Pages skip and repeat, in an order that is not that of the bytes, with a Link to nothing.",
  M20: "A name that is too long is a 500 with two documents.",
  M25: "Half-written tags are listed, and can be deleted.",
  M26: "On S3 a list that fails counts as an absence, and one tag is taken for the beginning of another.",
  M27: "There is no referrers API.",
  M32: "The wrong form of a path, with or without its last slash, is a 301.",
};

function numbered(section: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${section}${first + index}`);
}
