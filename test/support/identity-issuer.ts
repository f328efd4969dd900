import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** What GitHub Actions gives a job that may ask for its identity token. */
export interface IdentityIssuer {
  readonly env: Readonly<Record<"ACTIONS_ID_TOKEN_REQUEST_URL" | "ACTIONS_ID_TOKEN_REQUEST_TOKEN", string>>;
  /** The key set under which its tokens are believed. */
  readonly jwks: { readonly keys: readonly JWK[] };
  close(): Promise<void>;
}

/** Answers jobs on loopback as GitHub Actions does, with tokens of the claims that `claims` gives at the time. */
export async function startIdentityIssuer(
  claims: () => Readonly<Record<string, string>>,
): Promise<IdentityIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const permission = crypto.randomUUID();
  const server = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://issuer");
    if (request.headers.authorization !== `bearer ${permission}`) return response.writeHead(401).end();
    const value = await new SignJWT(claims())
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid })
      .setIssuer("https://token.actions.githubusercontent.com")
      .setAudience(searchParams.get("audience") ?? "https://github.com/acme")
      .setIssuedAt()
      .setExpirationTime("5 minutes")
      .sign(privateKey);
    return response
      .setHeader("Content-Type", "application/json")
      .end(JSON.stringify({ count: value.length, value }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: permission,
    },
    jwks: { keys: [{ ...jwk, kid }] },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
