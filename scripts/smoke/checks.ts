import { expectBytes, expectHeader, expectLength, expectStatus, Failure, header } from "./diagnosis.ts";
import { artifactType, type Content, manifestType, noise } from "./image.ts";
import { type Check, NotTried } from "./run.ts";
import type { SmokeWorld } from "./world.ts";

const accept = { Accept: manifestType };

const answers: Check = {
  name: "answers",
  async run(world) {
    const answer = expectStatus(await world.ask("GET", "/v2/"), 200);
    return header(answer, "Docker-Distribution-API-Version");
  },
};

const ready: Check = {
  name: "is ready",
  after: ["answers"],
  async run(world) {
    const answer = await world.ask("GET", "/readyz");
    if (answer.status === 404) throw new NotTried("there is no /readyz");
    expectStatus(answer, 200);
    return undefined;
  },
};

const closed: Check = {
  name: "refuses strangers' pushes",
  after: ["answers"],
  async run(world) {
    const { stranger } = world.options;
    if (stranger === undefined) throw new NotTried("no account was given: all of this is done by a stranger");
    const { status } = await stranger.send("POST", world.path("blobs/uploads/"));
    if (status !== 401 && status !== 403) {
      throw new Failure(`${status} instead of 401 or 403`, "anyone may push: ANONYMOUS is `all`");
    }
    return String(status);
  },
};

const pushes: Check = {
  name: "push",
  after: ["answers"],
  async run(world) {
    for (const blob of [world.config, world.layer, world.empty]) await world.push(blob);
    await pushManifest(world, world.tag, world.image);
    return undefined;
  },
};

async function pushManifest(world: SmokeWorld, reference: string, manifest: Content): Promise<void> {
  const headers = { "Content-Type": manifestType };
  const path = world.path(`manifests/${reference}`);
  const answer = await world.ask("PUT", path, { headers, body: manifest.bytes });
  if (answer.status === 201) world.left.manifests.add(world.path(`manifests/${manifest.digest}`));
  expectHeader(expectStatus(answer, 201), "Docker-Content-Digest", manifest.digest);
  world.locationOf(answer);
}

const wrongDigest: Check = {
  name: "push under a wrong digest",
  after: ["answers"],
  async run(world) {
    const url = new URL(await world.begin());
    url.searchParams.set("digest", world.artifact.digest);
    expectStatus(await world.ask("PUT", url.href, { body: world.chunked.bytes }), 400);
    return "refused";
  },
};

const chunks: Check = {
  name: "push in chunks",
  after: ["answers"],
  async run(world) {
    const { bytes } = world.chunked;
    const third = bytes.length / 3;
    const range = { "Content-Range": `0-${third - 1}` };
    let location = await world.patch(await world.begin(), bytes.subarray(0, third), { headers: range });
    location = await world.patch(location, bytes.subarray(third, 2 * third), { chunked: true });
    await world.close(location, world.chunked, bytes.subarray(2 * third));
    const path = world.path(`blobs/${world.chunked.digest}`);
    expectBytes(expectStatus(await world.ask("GET", path), 200), bytes);
    return "known length, unknown length, the rest";
  },
};

const byTag: Check = {
  name: "pull by tag",
  after: ["push"],
  run: (world) => pullManifest(world, world.tag),
};

const byDigest: Check = {
  name: "pull by digest",
  after: ["push"],
  run: (world) => pullManifest(world, world.image.digest),
};

async function pullManifest(world: SmokeWorld, reference: string): Promise<undefined> {
  const answer = await world.ask("GET", world.path(`manifests/${reference}`), { headers: accept });
  expectBytes(expectStatus(answer, 200), world.image.bytes);
  expectHeader(answer, "Content-Type", manifestType);
  expectHeader(answer, "Docker-Content-Digest", world.image.digest);
}

const heads: Check = {
  name: "HEAD of manifest and blob",
  after: ["push"],
  async run(world) {
    for (const [rest, { bytes, digest }] of [
      [`manifests/${world.tag}`, world.image],
      [`blobs/${world.layer.digest}`, world.layer],
    ] as const) {
      const answer = expectStatus(await world.ask("HEAD", world.path(rest), { headers: accept }), 200);
      expectLength(answer, bytes.length);
      expectHeader(answer, "Docker-Content-Digest", digest);
    }
    return undefined;
  },
};

const unchanged: Check = {
  name: "pull of what one has (304)",
  after: ["pull by tag"],
  async run(world) {
    const headers = { ...accept, "If-None-Match": `"${world.image.digest}"` };
    expectStatus(await world.ask("GET", world.path(`manifests/${world.tag}`), { headers }), 304);
    return undefined;
  },
};

const blobs: Check = {
  name: "pull of a blob",
  after: ["push"],
  async run(world) {
    const answer = await world.ask("GET", world.path(`blobs/${world.layer.digest}`));
    expectBytes(expectStatus(answer, 200), world.layer.bytes);
    return "1 MiB";
  },
};

const ranges: Check = {
  name: "pull of a part (Range)",
  after: ["push"],
  async run(world) {
    const headers = { Range: "bytes=1000-1999" };
    const answer = await world.ask("GET", world.path(`blobs/${world.layer.digest}`), { headers });
    if (answer.status === 200) {
      throw new Failure(
        "the whole blob came",
        "something on the way removes Range: interrupted pulls begin anew, and partial pulls fetch everything",
      );
    }
    expectHeader(expectStatus(answer, 206), "Content-Range", `bytes 1000-1999/${world.layer.bytes.length}`);
    expectBytes(answer, world.layer.bytes.subarray(1000, 2000));
    return undefined;
  },
};

const lists: Check = {
  name: "list of tags",
  after: ["push"],
  async run(world) {
    const { tags } = await listOf<{ tags: string[] }>(world, "tags/list");
    if (!tags.includes(world.tag))
      throw new Failure(`${world.tag} is not among ${tags.join(", ") || "none"}`);
    return undefined;
  },
};

const referrers: Check = {
  name: "referrers",
  after: ["push"],
  async run(world) {
    await pushManifest(world, world.artifact.digest, world.artifact);
    const filter = `?artifactType=${encodeURIComponent(artifactType)}`;
    const path = `referrers/${world.image.digest}${filter}`;
    const { manifests } = await listOf<{ manifests: { digest: string }[] }>(world, path);
    if (manifests[0]?.digest !== world.artifact.digest) throw new Failure("the artifact is not listed");
    return undefined;
  },
};

/** Lists may come compressed: nobody counts their bytes. */
async function listOf<List>(world: SmokeWorld, rest: string): Promise<List> {
  const headers = { "Accept-Encoding": "identity" };
  const answer = expectStatus(await world.ask("GET", world.path(rest), { headers }), 200);
  return JSON.parse(answer.body.toString()) as List;
}

const largeBody: Check = {
  name: "push of a large body",
  after: ["push"],
  async run(world) {
    const { largestBody } = world.options;
    if (largestBody === undefined) throw new NotTried("--body SIZE, such as 90M, tries one");
    const blob = noise(largestBody);
    await world.push(blob);
    const path = world.path(`blobs/${blob.digest}`);
    expectBytes(expectStatus(await world.ask("GET", path), 200), blob.bytes);
    return `${(largestBody / 1e6).toFixed(1)} MB`;
  },
};

const deletes: Check = {
  name: "delete",
  after: ["push"],
  async run(world) {
    for (const left of [world.left.manifests, world.left.blobs]) {
      for (const path of left) {
        expectStatus(await world.ask("DELETE", path), 202);
        left.delete(path);
        expectStatus(await world.ask("HEAD", path, { headers: accept }), 404);
      }
    }
    expectStatus(await world.ask("HEAD", world.path(`manifests/${world.tag}`), { headers: accept }), 404);
    return "everything, with its tag";
  },
};

const cleanUp: Check = {
  name: "leaves nothing behind",
  async run(world) {
    for (const left of [world.left.manifests, world.left.blobs]) {
      for (const path of left) {
        const { status } = await world.ask("DELETE", path);
        if (status === 202 || status === 404) left.delete(path);
      }
    }
    const paths = [...world.left.manifests, ...world.left.blobs];
    if (paths.length === 0) return undefined;
    throw new Failure(`${paths.length} left`, `delete them: ${paths.join(" ")}`);
  },
};

/** What is checked, in this order. */
export const smokeChecks: readonly Check[] = [
  answers,
  ready,
  closed,
  pushes,
  wrongDigest,
  chunks,
  byTag,
  byDigest,
  heads,
  unchanged,
  blobs,
  ranges,
  lists,
  referrers,
  largeBody,
  deletes,
  cleanUp,
];
