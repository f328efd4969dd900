import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { send } from "../../scripts/push/registry/transport.ts";
import type { Digest } from "../../src/oci/digest.ts";
import type { Exchange, Fault } from "../upstream/fault-proxy.ts";
import { answers, claims, hangs } from "../upstream/faults.ts";
import { dockerArchive, filesBelow, layerTar, put, tarOf, writeIndexLayout } from "./images.ts";
import { useWorld } from "./world.ts";

const world = useWorld();

/** Of 300,000 bytes, which three chunks and a bit carry. */
async function layout(): Promise<{ readonly image: string; readonly digest: string }> {
  const image = join(world().dir, "layout");
  return { image, digest: await writeIndexLayout(image, world().seed) };
}

/** The fault for the first requests of a method, and none for all others. */
function first(method: string, fault: Fault, count = 1): Fault {
  let left = count;
  return (exchange) => {
    if (exchange.request.method !== method || left === 0) return exchange.pass();
    left--;
    return fault(exchange);
  };
}

/** The request is done, and its answer lost. */
const losesAnswer: Fault = async ({ ask, outgoing }) => {
  await ask();
  outgoing.destroy();
};

const resets: Fault = ({ outgoing }) => void outgoing.destroy();

const htmlPage: Fault = ({ outgoing }) => {
  outgoing.writeHead(413, { "Content-Type": "text/html" }).end("<html>413 Request Entity Too Large</html>");
};

function count(start: string): number {
  return world()
    .asked()
    .filter((each) => each.startsWith(start)).length;
}

describe("a push gets through", () => {
  it("after the wait that a 429 asks for", async () => {
    const { proxy, push, probe, name, waits } = world();
    const { image, digest } = await layout();
    proxy.fault = first("PATCH", answers(429, { "Retry-After": "7" }));
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
    expect(waits).toEqual([7000]);
  });

  it.each([
    ["a chunk that is answered with 503", "PATCH", answers(503)],
    ["a chunk whose connection is cut", "PATCH", resets],
    ["a POST that is answered with 500", "POST", answers(500)],
    ["a HEAD that is answered with 502", "HEAD", answers(502)],
    ["a PUT that is answered with Cloudflare's 522", "PUT", answers(522)],
  ] as const)("after %s, twice", async (_, method, fault) => {
    const { proxy, push, probe, name, waits } = world();
    const image = await put(
      world().dir,
      "app.tar",
      await tarOf(dockerArchive([await layerTar(world().seed, 150_000)])),
    );
    const only: Fault = (exchange) =>
      /uploads|blobs/.test(exchange.request.path) ? fault(exchange) : exchange.pass();
    proxy.fault = first(method, only, 2);
    await push(image, `${name}:1`);
    await probe.verify(name, "1");
    // Two requests at once may meet one each.
    expect([
      [500, 1000],
      [500, 500],
    ]).toContainEqual(waits);
  });

  it("after the answer to a chunk was lost, and sends no byte of it again", async () => {
    const { proxy, push, probe, name } = world();
    const { image, digest } = await layout();
    proxy.fault = first("PATCH", losesAnswer);
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
    const starts = proxy.seen
      .filter(({ method }) => method === "PATCH")
      .map(({ headers }) => headers["content-range"]);
    expect(new Set(starts.map((range) => range?.split("-")[0])).size).toBe(starts.length);
  });

  it("after the answer to the closing PUT was lost", async () => {
    const { proxy, push, probe, name } = world();
    const { image, digest } = await layout();
    proxy.fault = first("PUT", losesAnswer, 3);
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
  });

  it("after a 416, by asking where the upload stands", async () => {
    const { proxy, push, probe, name } = world();
    const { image, digest } = await layout();
    const statusLies = first("GET", claims({ range: "0-0" }));
    const chunk = first("PATCH", losesAnswer);
    proxy.fault = (exchange) => (exchange.request.method === "GET" ? statusLies : chunk)(exchange);
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
    const statuses = world()
      .asked()
      .filter((each) => each.startsWith("GET ") && each.includes("/uploads/"));
    expect(statuses.length).toBe(2);
  });

  it("after its session was ended by somebody else", async () => {
    const { proxy, push, probe, name } = world();
    const { image, digest } = await layout();
    let patches = 0;
    proxy.fault = async ({ request, pass }: Exchange) => {
      if (request.method === "PATCH" && ++patches === 2) {
        await fetch(`${proxy.url}${request.path}`, { method: "DELETE" });
      }
      await pass();
    };
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
    expect(patches).toBeGreaterThan(4);
  });

  it("where chunks above a size are refused, with smaller ones", async () => {
    const { proxy, push, probe, name, waits } = world();
    const { image, digest } = await layout();
    const limit = 80_000;
    proxy.fault = (exchange) =>
      Number(exchange.request.headers["content-length"] ?? 0) > limit ? htmlPage(exchange) : exchange.pass();
    await push(image, `${name}:1`, { chunkSize: 1_000_000 });
    await probe.verify(name, "1", digest);
    expect(waits).toEqual([]);
    // The whole blob and the half of it are refused; its quarters get through.
    const sizes = proxy.seen.map(({ headers }) => Number(headers["content-length"] ?? 0));
    expect(sizes.filter((size) => size > limit)).toHaveLength(2);
  });

  it("with the session of an earlier run, if it was told other bytes, from the start", async () => {
    const { proxy, push, probe, name, memory, repository } = world();
    const { image, digest } = await layout();
    const [layer = ""] = await blobsOf(image);
    const target = repository(name);
    const session = await target.startUpload(layer as Digest, undefined);
    if (typeof session === "string") throw new Error(session);
    const bytes = Buffer.alloc(5000, 1);
    const answer = await target.patch(session, {
      length: bytes.length,
      open: async function* () {
        yield bytes;
      },
    });
    const { location } = target.stepAfter(answer, session);
    await (await memory()).rememberUpload(`127.0.0.1:${proxy.port}/${name}`, layer as Digest, location);
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
  });

  it("with a session that the registry does not know any more", async () => {
    const { proxy, push, probe, name, memory } = world();
    const { image, digest } = await layout();
    const [layer = ""] = await blobsOf(image);
    const gone = new URL(
      `${proxy.url}/v2/${name}/blobs/uploads/00000000-0000-0000-0000-000000000000?state=x`,
    );
    await (await memory()).rememberUpload(`127.0.0.1:${proxy.port}/${name}`, layer as Digest, gone);
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
  });
});

describe("a push gives up", () => {
  it("after as many failures in a row as it may have, and goes on when it is called again", async () => {
    const { proxy, push, probe, name, waits } = world();
    const { image, digest } = await layout();
    let patches = 0;
    proxy.fault = (exchange) =>
      exchange.request.method === "PATCH" && ++patches > 2 ? resets(exchange) : exchange.pass();
    await expect(push(image, `${name}:1`, { attempts: 4 })).rejects.toMatchObject({ isTemporary: true });
    expect(waits).toEqual([500, 1000, 2000]);
    proxy.fault = ({ pass }) => pass();
    proxy.forget();
    await push(image, `${name}:1`);
    await probe.verify(name, "1", digest);
    const ranges = proxy.seen
      .filter(({ method }) => method === "PATCH")
      .map(({ headers }) => headers["content-range"]);
    expect(ranges[0]).toMatch(/^200000-/);
  });

  it("at once when it is asked to wait for long", async () => {
    const { proxy, push, name, waits } = world();
    const { image } = await layout();
    proxy.fault = first("PATCH", answers(429, { "Retry-After": "3600" }));
    await expect(push(image, `${name}:1`)).rejects.toMatchObject({ status: 429, isTemporary: true });
    expect(waits).toEqual([]);
  });

  it.each([
    [401, "log in with `docker login`"],
    [403, "the account may not do that"],
    [405, "it may be read-only"],
    [400, "UNKNOWN answered by the proxy"],
  ])("at once after a %d, and says what helps", async (status, message) => {
    const { proxy, push, name, waits } = world();
    const { image } = await layout();
    proxy.fault = first("POST", answers(status), 100);
    await expect(push(image, `${name}:1`)).rejects.toThrow(message);
    expect(waits).toEqual([]);
    expect(count("PUT ")).toBe(0);
  });

  it("when nothing gets through, however small", async () => {
    const { proxy, push, name } = world();
    const { image } = await layout();
    proxy.fault = (exchange) => (exchange.request.method === "PATCH" ? htmlPage(exchange) : exchange.pass());
    await expect(push(image, `${name}:1`)).rejects.toThrow("set a smaller --chunk-size");
  });
});

it("a connection on which nothing comes is given up", async () => {
  const { proxy } = world();
  proxy.fault = hangs;
  const sending = send({ method: "GET", url: new URL(proxy.url), patience: 50 });
  await expect(sending).rejects.toMatchObject({ isTemporary: true });
});

describe("blobs that are there", () => {
  it("are neither sent nor mounted, and a tag that is right is not set again", async () => {
    const { proxy, push, name } = world();
    const { image } = await layout();
    await push(image, `${name}:1`);
    proxy.forget();
    await push(image, `${name}:1`);
    expect(
      new Set(
        world()
          .asked()
          .map((each) => each.split(" ")[0]),
      ),
    ).toEqual(new Set(["HEAD"]));
  });

  it("in another repository are mounted from there, if that is told or remembered", async () => {
    const { proxy, push, probe, name } = world();
    const { image, digest } = await layout();
    await push(image, `${name}:1`);
    proxy.forget();
    await push(image, `${name}-copy:1`);
    await probe.verify(`${name}-copy`, "1", digest);
    const mounts = world()
      .asked()
      .filter((each) => each.startsWith("POST "));
    expect(mounts.length).toBe(4);
    expect(mounts.every((each) => each.includes(`from=${encodeURIComponent(name)}`))).toBe(true);
    expect(
      world()
        .asked()
        .some((each) => each.startsWith("PATCH ")),
    ).toBe(false);
  });
});

/** The digests of an OCI layout's blobs, the largest first. */
async function blobsOf(image: string): Promise<readonly string[]> {
  const files = Object.entries(await filesBelow(image)).filter(([path]) => path.startsWith("blobs/"));
  return files.sort(([, a], [, b]) => b.length - a.length).map(([path]) => path.slice(6).replace("/", ":"));
}
