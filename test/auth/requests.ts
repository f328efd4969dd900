/** A request of every kind, all of which need rights. */
export const requests: readonly string[] = [
  "GET /v2/",
  "GET /v2/team/app/manifests/1",
  "GET /v2/_catalog",
  "POST /v2/team/app/blobs/uploads/",
  "DELETE /v2/team/app/manifests/1",
  "GET /v2/_skerry/accounts",
];
