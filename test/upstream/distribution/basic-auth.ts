import assert from "node:assert/strict";
import { RegistryProbe } from "../../clients/harness/registry.ts";
import { errorsOf } from "../../support/answers.ts";
import { entryOf } from "../edge-entry.ts";
import { account, ask, closedTo, pushTo, startEdge, startUpstream, type World } from "./world.ts";

/** A docker-registry that asks for a name and a password. */
export async function basicAuth(world: World): Promise<void> {
  const { checks, fixtures } = world;
  const { username, password } = account;
  const upstream = await startUpstream(world, "closed", await closedTo(world));
  const prefixes = ["right.example", "wrong.example", "none.example"] as const;
  const edge = await startEdge(world, "closed", {
    upstreams: prefixes.map((prefix) => entryOf(prefix, upstream.proxy)),
    credentials: {
      "right.example": { username, password },
      "wrong.example": { username, password: "another" },
    },
  });
  const credentials = `--dest-creds=${username}:${password}`;
  await pushTo(world, upstream, "team/app:v1", fixtures.twelveLayers, credentials);

  await checks.check("Basic: with the credentials an image is pulled", async () => {
    upstream.proxy.forget();
    await new RegistryProbe(edge.host).verify("right.example/team/app", "v1", fixtures.twelveLayers.digest);
    const refused = upstream.proxy.seen.filter(({ headers }) => headers.authorization === undefined);
    assert.ok(refused.length <= 1, `${refused.length} requests without credentials, one is enough to learn`);
  });
  await checks.check(
    "Basic: without, or with wrong ones, it is a 401 that does not ask the client",
    async () => {
      for (const prefix of ["wrong.example", "none.example"]) {
        const answer = await ask(edge, "GET", `${prefix}/team/app/manifests/v1`);
        assert.deepEqual([answer.status, errorsOf(answer.body.toString())[0]?.code], [401, "UNAUTHORIZED"]);
        // The client's own credentials are no good there.
        assert.equal(answer.headers.get("WWW-Authenticate"), null);
      }
    },
  );
}
