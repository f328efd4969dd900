import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { AwsClient } from "aws4fetch";

export interface ResigningProxy {
  readonly origin: string;
  /** Resolves when so many more requests have come. */
  more(requests: number): Promise<void>;
  close(): Promise<void>;
}

/** Headers that are the connection's, or part of a signature. */
const notPassed =
  /^(?:accept-encoding|authorization|connection|content-length|host|transfer-encoding|x-amz-date)$/;

/**
 * Passes requests on to an S3 endpoint under a signature of its own. rclone signs Accept-Encoding, which workerd
 * rewrites before the simulator behind it looks at the signature.
 */
export async function startResigningProxy(
  target: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<ResigningProxy> {
  const client = new AwsClient({ ...credentials, service: "s3", region: "auto", retries: 0 });
  const arrivals = new EventEmitter();
  arrivals.setMaxListeners(0);
  const server = createServer(async (incoming, outgoing) => {
    arrivals.emit("request");
    try {
      const headers = Object.entries(incoming.headers).filter(([name]) => !notPassed.test(name));
      const body = await buffer(incoming);
      const answer = await client.fetch(target + incoming.url, {
        method: incoming.method ?? "GET",
        headers: headers as [string, string][],
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      });
      const kept = [...answer.headers].filter(([name]) => name !== "content-encoding");
      outgoing.writeHead(answer.status, Object.fromEntries(kept));
      outgoing.end(new Uint8Array(await answer.arrayBuffer()));
    } catch (error) {
      outgoing.destroy(error instanceof Error ? error : undefined);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async more(requests) {
      for (let come = 0; come < requests; come++) await once(arrivals, "request");
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
