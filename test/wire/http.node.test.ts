import { connect } from "node:tls";
import { describe, expect, test } from "vitest";
import { Connection, exchange, type HeaderLine } from "./connection.ts";
import { digestOf, manifestOf, ociManifest, pushManifest } from "./fixtures.ts";
import { useRegistry } from "./registry.ts";

const registry = useRegistry();
const port = () => registry().port;

async function requestOn(
  connection: Connection,
  method: string,
  target: string,
  headers?: readonly HeaderLine[],
) {
  await connection.writeHead(method, target, headers);
  return connection.read(method);
}

describe("what clients do before they speak the API", () => {
  test("a TLS ClientHello on the plain port is refused, so that the client falls back to HTTP", async () => {
    const socket = connect({ port: port(), host: "127.0.0.1", rejectUnauthorized: false });
    const outcome = await new Promise((resolve) => {
      socket.once("secureConnect", () => resolve("connected"));
      socket.once("error", (error) => resolve(error));
    });
    expect(outcome).toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
  });

  test("an offer to upgrade to h2c is ignored", async () => {
    const connection = await Connection.open(port());
    const offer: readonly HeaderLine[] = [
      ["Connection", "Upgrade, HTTP2-Settings"],
      ["Upgrade", "h2c"],
      ["HTTP2-Settings", "AAMAAABkAAQAAP__"],
    ];
    const first = await requestOn(connection, "GET", "/v2/", offer);
    expect(first.status).toBe(200);
    expect(first.header("Upgrade")).toBeUndefined();
    expect(first.body.toString()).toBe("{}");
    expect((await requestOn(connection, "GET", "/v2/", offer)).status).toBe(200);
    connection.close();
  });

  test("Connection: close is honoured after the whole answer", async () => {
    const connection = await Connection.open(port());
    const response = await requestOn(connection, "GET", "/v2/", [["Connection", "close"]]);
    expect(response.status).toBe(200);
    expect(await connection.isEnded()).toBe(true);
  });

  test("a request that is not HTTP gets a 400 and the registry lives on", async () => {
    const connection = await Connection.open(port());
    await connection.write("\u0000\u0001 nonsense\r\n\r\n");
    expect((await connection.read("GET")).status).toBe(400);
    expect(await connection.isEnded()).toBe(true);
    expect((await exchange(port(), "GET", "/v2/")).status).toBe(200);
  });
});

describe("keep-alive", () => {
  const unknown = `/v2/wire/unknown/blobs/${digestOf("unknown")}`;

  test("requests sent without waiting are answered in order, also after errors", async () => {
    const connection = await Connection.open(port());
    await connection.writeHead("GET", unknown);
    await connection.writeHead("HEAD", unknown);
    await connection.writeHead("GET", "/v2/");
    const missing = await connection.read("GET");
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.body.toString()).errors[0].code).toBe("BLOB_UNKNOWN");
    expect((await connection.read("HEAD")).status).toBe(404);
    expect((await connection.read("GET")).status).toBe(200);
    connection.close();
  });

  test("a refused request whose body was sent leaves the connection usable or closed, never out of step", async () => {
    const connection = await Connection.open(port());
    const body = "x".repeat(100_000);
    await connection.writeHead("PUT", "/v2/wire/refused/manifests/1", [
      ["Content-Type", "text/plain"],
      ["Content-Length", String(body.length)],
    ]);
    await connection.write(body);
    const refused = await connection.read("PUT");
    expect(refused.status).toBe(400);
    if (refused.header("Connection") === "close") {
      expect(await connection.isEnded()).toBe(true);
    } else {
      expect((await requestOn(connection, "GET", "/v2/")).status).toBe(200);
    }
    connection.close();
  });
});

describe("Accept", () => {
  // skopeo, podman and docker send one line for each type.
  const types = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
    ociManifest,
  ];

  test("the type is found on whichever of six lines it stands", async () => {
    const body = manifestOf("six lines");
    const digest = await pushManifest(port(), "wire/accept", "1", body);
    for (let turn = 0; turn < types.length; turn++) {
      const lines = [...types.slice(turn), ...types.slice(0, turn)].map(
        (type): HeaderLine => ["Accept", type],
      );
      const response = await exchange(port(), "GET", "/v2/wire/accept/manifests/1", lines);
      expect(response.status).toBe(200);
      expect(response.header("Docker-Content-Digest")).toBe(digest);
    }
  });

  test("six lines that all leave the type out are a 404 MANIFEST_UNKNOWN", async () => {
    await pushManifest(port(), "wire/accept", "2", manifestOf("left out"));
    const lines = types.map((type): HeaderLine => ["Accept", type === ociManifest ? "text/plain" : type]);
    const response = await exchange(port(), "GET", "/v2/wire/accept/manifests/2", lines);
    expect(response.status).toBe(404);
    expect(JSON.parse(response.body.toString()).errors[0].code).toBe("MANIFEST_UNKNOWN");
  });
});
