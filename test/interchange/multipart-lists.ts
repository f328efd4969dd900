import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A write that the bucket has acknowledged, by the name that R2's event notifications have for it. */
export interface BucketWrite {
  readonly action: "PutObject" | "CopyObject" | "CompleteMultipartUpload" | "DeleteObject";
  readonly key: string;
}

interface Upload {
  readonly key: string;
  readonly parts: Map<number, { readonly etag: string; readonly size: number }>;
}

/**
 * Stands before the S3 endpoint of a local bucket and answers what that one does not implement, and R2 does:
 * ListMultipartUploads and ListParts, without which distribution's S3 driver cannot go on with an upload. Everything
 * else is passed on as it is, signature and all. It also tells of every write, since no simulator sends events.
 */
export class MultipartLists {
  /** Writes in the order in which they were acknowledged. */
  readonly writes: BucketWrite[] = [];
  readonly #target: URL;
  readonly #bucket: string;
  readonly #uploads = new Map<string, Upload>();
  readonly #server = createServer((asked, answer) => this.#serve(asked, answer));

  /** @param endpoint of the bucket's S3 API, below which the bucket is a path. */
  constructor(endpoint: string, bucket: string) {
    this.#target = new URL(endpoint);
    this.#bucket = bucket;
  }

  /** Listens on a free port of this machine. @returns the endpoint to use instead. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#target.pathname}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const url = new URL(asked.url ?? "/", this.#target);
    const path = url.pathname.slice(this.#target.pathname.length + 1 + this.#bucket.length + 1);
    const key = decodeURIComponent(path);
    const upload = url.searchParams.get("uploadId");
    if (asked.method === "GET" && url.searchParams.has("uploads")) {
      answerXml(answer, this.#listUploads(url.searchParams.get("prefix") ?? ""));
    } else if (asked.method === "GET" && upload !== null) {
      answerXml(answer, this.#listParts(upload));
    } else this.#forward(asked, answer, url, key);
  }

  #forward(asked: IncomingMessage, answer: ServerResponse, url: URL, key: string): void {
    const { hostname, port } = this.#target;
    const options = { hostname, port, method: asked.method, path: asked.url, headers: asked.headers };
    const sent: Buffer[] = [];
    // The one request whose body matters here: the keys of DeleteObjects.
    if (url.searchParams.has("delete")) asked.on("data", (piece: Buffer) => sent.push(piece));
    const forwarded = request(options, (reply) => {
      const pieces: Buffer[] = [];
      reply.on("data", (piece: Buffer) => {
        if (asked.method === "POST") pieces.push(piece);
      });
      reply.on("end", () => {
        if ((reply.statusCode ?? 500) >= 300) return;
        this.#note(asked, url, key, {
          sent: Buffer.concat(sent).toString(),
          received: Buffer.concat(pieces).toString(),
          etag: reply.headers.etag ?? "",
        });
      });
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    forwarded.on("error", () => answer.destroy());
    asked.pipe(forwarded);
  }

  #note(
    asked: IncomingMessage,
    url: URL,
    key: string,
    { sent, received, etag }: { readonly sent: string; readonly received: string; readonly etag: string },
  ): void {
    const id = url.searchParams.get("uploadId");
    const isCopy = asked.headers["x-amz-copy-source"] !== undefined;
    if (asked.method === "POST" && url.searchParams.has("uploads")) {
      const made = /<UploadId>([^<]+)</.exec(received)?.[1];
      if (made !== undefined) this.#uploads.set(made, { key, parts: new Map() });
    } else if (asked.method === "POST" && url.searchParams.has("delete")) {
      for (const [, name = ""] of sent.matchAll(/<Key>([^<]+)</g))
        this.writes.push({ action: "DeleteObject", key: name });
    } else if (id !== null && asked.method === "PUT" && !isCopy) {
      const size = Number(asked.headers["content-length"]);
      this.#uploads.get(id)?.parts.set(Number(url.searchParams.get("partNumber")), { etag, size });
    } else if (id !== null && asked.method !== "PUT") {
      this.#uploads.delete(id);
      if (asked.method === "POST") this.writes.push({ action: "CompleteMultipartUpload", key });
    } else if (asked.method === "PUT" && id === null) {
      this.writes.push({ action: isCopy ? "CopyObject" : "PutObject", key });
    } else if (asked.method === "DELETE") this.writes.push({ action: "DeleteObject", key });
  }

  #listUploads(prefix: string): string {
    const uploads = [...this.#uploads].filter(([, { key }]) => key.startsWith(prefix));
    const listed = uploads.map(
      ([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`,
    );
    return `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${listed.join("")}</ListMultipartUploadsResult>`;
  }

  #listParts(id: string): string {
    const parts = [...(this.#uploads.get(id)?.parts ?? [])].toSorted(([a], [b]) => a - b);
    const listed = parts.map(
      ([number, { etag, size }]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${size}</Size></Part>`,
    );
    return `<ListPartsResult><IsTruncated>false</IsTruncated>${listed.join("")}</ListPartsResult>`;
  }
}

function answerXml(answer: ServerResponse, document: string): void {
  answer.writeHead(200, { "Content-Type": "application/xml" });
  answer.end(`<?xml version="1.0" encoding="UTF-8"?>${document}`);
}
