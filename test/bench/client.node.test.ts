import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Client } from "../../scripts/registry-client.ts";

const credentials = { name: "alice", password: "secret" };
const basic = `Basic ${Buffer.from("alice:secret").toString("base64")}`;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Serves on loopback, and notes the Authorization header of every request. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse, origin: string) => void) {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    answer(request, response, origin);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, seen };
}

it("counts a body that it is to discard", async () => {
  const { origin } = await serve((_, response) => response.end("hello"));
  const client = new Client(origin);
  expect(await client.ask("GET", "/", 200, { discard: true })).toMatchObject({
    size: 5,
    body: Buffer.alloc(0),
  });
  client.close();
});

it("fails for another status than was expected", async () => {
  const { origin } = await serve((_, response) => response.writeHead(404).end("gone"));
  const client = new Client(origin);
  await expect(client.ask("GET", "/", 200)).rejects.toThrow("404 instead of 200: gone");
  client.close();
});

it("logs in with name and password once it is asked to, and from then on at once", async () => {
  const { origin, seen } = await serve((request, response) => {
    const known = request.headers.authorization === basic;
    response.writeHead(known ? 200 : 401, known ? {} : { "WWW-Authenticate": 'Basic realm="x"' }).end();
  });
  const client = new Client(origin, credentials);
  for (const _ of [1, 2]) await client.ask("GET", "/v2/app/manifests/1", 200);
  expect(seen).toEqual([undefined, basic, basic]);
  client.close();
});

it("fetches a token for the scope that it is told", async () => {
  const { origin, seen } = await serve((request, response, here) => {
    if (request.url?.startsWith("/token")) {
      const { searchParams } = new URL(request.url, here);
      return response.end(
        JSON.stringify({ token: `${searchParams.get("service")} ${searchParams.get("scope")}` }),
      );
    }
    const known = request.headers.authorization === "Bearer s repository:app:pull";
    const challenge = `Bearer realm="${here}/token",service="s",scope="repository:app:pull"`;
    return response.writeHead(known ? 200 : 401, known ? {} : { "WWW-Authenticate": challenge }).end();
  });
  const client = new Client(origin, credentials);
  await client.ask("GET", "/v2/app/manifests/1", 200);
  expect(seen).toEqual([undefined, basic, "Bearer s repository:app:pull"]);
  client.close();
});
