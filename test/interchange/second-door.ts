import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { layoutDigest } from "../clients/harness/checks.ts";
import { RegistryProbe } from "../clients/harness/registry.ts";
import { notificationOf } from "../support/bucket-events.ts";
import { type S3Registry, startS3Registry } from "../support/s3-registry.ts";
import { startDistribution } from "./distribution.ts";
import { type BucketWrite, MultipartLists } from "./multipart-lists.ts";
import { compareLists, deleteManifest, forget, type Holdings, note, pullAll } from "./registry.ts";
import { copy, type World } from "./world.ts";

const mebibyte = 1024 * 1024;
/** Within so many seconds of its events a push to distribution is there; they arrive at once. */
const soon = 30;

/**
 * Distribution pushes into the bucket that Skerry serves. The events are made of the writes that its S3 driver has
 * sent, in the form that Cloudflare documents, and go through a queue of the simulator to the Worker's consumer.
 */
export async function secondDoor(world: World): Promise<void> {
  const { checks, fixtures } = world;
  const folder = join(world.dir, "second-door");
  await mkdir(folder);
  const skerry = await startS3Registry(folder, {
    FOREIGN_WRITES: "events",
    BLOB_REDIRECT: "1",
    LOG: "errors",
  });
  const lists = new MultipartLists(skerry.endpoint, "skerry");
  const regionendpoint = await lists.start();
  const { accessKeyId: accesskey, secretAccessKey: secretkey } = skerry;
  const access = { accesskey, secretkey, region: "auto", secure: false, chunksize: 100 * mebibyte };
  const server = await startDistribution(world, { s3: { regionendpoint, bucket: "skerry", ...access } });
  const door = new Door(skerry, lists);
  const holdings: Holdings = new Map();
  try {
    await checks.check(
      "second door: what is pushed to distribution is served by Skerry in seconds",
      async () => {
        await copy(world, `oci:${fixtures.twoParts.layout}:v1`, `docker://${server.host}/door/big:1`);
        note(holdings, "door/big", "1", fixtures.twoParts.digest);
        await copy(world, `oci:${fixtures.index.layout}:v1`, `docker://${server.host}/door/app:1`);
        note(holdings, "door/app", "1", fixtures.index.digest);
        await door.deliver(holdings);
        await pullAll(door.host, holdings);
        await compareLists(door.host, holdings);
      },
    );
    await checks.check("second door: skopeo follows redirects to the bucket", async () => {
      const layout = join(folder, "pulled");
      await copy(world, `docker://${door.host}/door/big:1`, `oci:${layout}:v1`);
      assert.equal(await layoutDigest(layout), fixtures.twoParts.digest);
    });
    await checks.check("second door: a tag that distribution moves, and one that Skerry sets", async () => {
      await copy(world, `oci:${fixtures.twelveLayers.layout}:v1`, `docker://${server.host}/door/app:1`);
      note(holdings, "door/app", "1", fixtures.twelveLayers.digest);
      await copy(world, `oci:${fixtures.twelveLayers.layout}:v1`, `docker://${door.host}/door/app:2`);
      note(holdings, "door/app", "2", fixtures.twelveLayers.digest);
      await door.deliver(holdings);
      await pullAll(door.host, holdings);
      await pullAll(server.host, holdings);
      await compareLists(door.host, holdings);
    });
    await checks.check(
      "second door: a manifest that distribution deletes is gone with its tags",
      async () => {
        await deleteManifest(server.host, "door/app", fixtures.twelveLayers.digest);
        forget(holdings, "door/app", fixtures.twelveLayers.digest);
        await door.deliver(holdings, ["door/app:1", "door/app:2"]);
        await pullAll(door.host, holdings);
      },
    );
  } finally {
    await server.stop();
    await lists.stop();
    await skerry.stop();
  }
}

/** Hands the events of distribution's writes to Skerry. */
class Door {
  readonly host: string;
  readonly #skerry: S3Registry;
  readonly #lists: MultipartLists;
  #delivered = 0;

  constructor(skerry: S3Registry, lists: MultipartLists) {
    this.host = `127.0.0.1:${skerry.port}`;
    this.#skerry = skerry;
    this.#lists = lists;
  }

  /** Sends the events of all writes since the last time, and waits until the tags name what they should. */
  async deliver(holdings: Holdings, gone: readonly string[] = []): Promise<void> {
    const writes = this.#lists.writes.slice(this.#delivered).filter(isTold);
    this.#delivered = this.#lists.writes.length;
    assert.ok(writes.length > 0, "distribution has written nothing");
    const queue = await this.#skerry.queue("BUCKET_EVENTS");
    for (const { action, key } of writes) await queue.send(notificationOf(action, key, new Date()));
    const probe = new RegistryProbe(this.host);
    const deadline = Date.now() + soon * 1000;
    const isThere = async () => {
      for (const [name, tags] of holdings)
        for (const [tag, digest] of tags) if ((await probe.digest(name, tag)) !== digest) return false;
      for (const reference of gone) {
        const [name = "", tag = ""] = reference.split(":");
        if ((await probe.digest(name, tag)) !== undefined) return false;
      }
      // The catalog follows by events of its own.
      return compareLists(this.host, holdings).then(
        () => true,
        () => false,
      );
    };
    while (!(await isThere())) {
      assert.ok(Date.now() < deadline, `not there ${soon} seconds after the events`);
      await setTimeout(100);
    }
  }
}

/** The rule that docs/big-layers.md makes: keys of links below repositories. */
function isTold({ key }: BucketWrite): boolean {
  return key.startsWith("docker/registry/v2/repositories/") && key.endsWith("/link");
}
