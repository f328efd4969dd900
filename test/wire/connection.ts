import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type HeaderLine = readonly [name: string, value: string];

export interface WireResponse {
  readonly status: number;
  /** As received: order, case and repetitions are kept. */
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
  /** The one value of that header; undefined if it is absent. A repeated header throws. */
  header(name: string): string | undefined;
}

function header(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter(([other]) => other.toLowerCase() === name.toLowerCase());
  if (values.length > 1) throw new Error(`${name} was sent ${values.length} times`);
  return values[0]?.[1];
}

/** HTTP/1.1 over a socket, written and read byte for byte: nothing is added, decoded, retried or pooled. */
export class Connection {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    await once(socket, "connect");
    // Whoever reads sees an end; without a listener a reset would end the process.
    socket.on("error", () => {});
    return new Connection(socket);
  }

  /** Writes bytes as they are. Whether they all went out: false once the server has hung up. */
  async write(data: string | Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.#socket.write(data, (error) => resolve(!error)));
  }

  /** Writes the head of a request. `Host` is this server unless given; no other header is added. */
  async writeHead(method: string, target: string, headers: readonly HeaderLine[] = []): Promise<boolean> {
    const host: readonly HeaderLine[] =
      header(headers, "Host") === undefined ? [["Host", `127.0.0.1:${this.#socket.remotePort}`]] : [];
    const lines = [...host, ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
    return this.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Writes one chunk of a body with `Transfer-Encoding: chunked`; an empty one ends it. */
  async writeChunk(data: string | Uint8Array): Promise<boolean> {
    const bytes = Buffer.from(data);
    return this.write(
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]),
    );
  }

  /**
   * Reads one answer to a request of that method.
   * @throws Error if the connection ends before the answer does.
   */
  async read(method: string): Promise<WireResponse> {
    const head = (await this.#readUntil("\r\n\r\n")).toString("latin1");
    const [statusLine = "", ...lines] = head.trimEnd().split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`not a status line: ${statusLine}`);
    const headers = lines.map((line): HeaderLine => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const body = await this.#readBody(method, status, headers);
    return { status, headers, body, header: (name) => header(headers, name) };
  }

  /** Whether the server ends the connection without sending anything more. */
  async isEnded(): Promise<boolean> {
    return this.#buffer.length === 0 && !(await this.#fill());
  }

  /** Drops the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  /** Stops sending, in the middle of a request if need be, and waits until the server has let go as well. */
  async cut(): Promise<void> {
    this.#socket.end();
    while (await this.#fill());
    this.#socket.destroy();
  }

  async #readBody(method: string, status: number, headers: readonly HeaderLine[]): Promise<Buffer> {
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return Buffer.alloc(0);
    if (header(headers, "Transfer-Encoding") !== "chunked") {
      const length = Number(header(headers, "Content-Length"));
      if (Number.isNaN(length)) throw new Error("an answer with a body of unknown length");
      return this.#readBytes(length);
    }
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt((await this.#readUntil("\r\n")).toString("latin1"), 16);
      const part = await this.#readBytes(size);
      await this.#readUntil("\r\n");
      if (size === 0) return Buffer.concat(parts);
      parts.push(part);
    }
  }

  async #readUntil(end: string): Promise<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(end);
      if (at >= 0) return this.#readBytes(at + end.length);
      if (!(await this.#fill()))
        throw new Error(`the connection ended within: ${this.#buffer.toString("latin1")}`);
    }
  }

  async #readBytes(length: number): Promise<Buffer> {
    const parts = [this.#buffer];
    let count = this.#buffer.length;
    while (count < length) {
      const next = await this.#next();
      if (next === undefined) throw new Error(`the connection ended at ${count} of ${length} bytes`);
      parts.push(next);
      count += next.length;
    }
    // Once for all: joined with each arrival, a large body would be copied over and over.
    const all = Buffer.concat(parts);
    this.#buffer = all.subarray(length);
    return all.subarray(0, length);
  }

  /** Waits for more bytes; false if the server has ended or reset the connection. */
  async #fill(): Promise<boolean> {
    const next = await this.#next();
    if (next === undefined) return false;
    this.#buffer = Buffer.concat([this.#buffer, next]);
    return true;
  }

  async #next(): Promise<Buffer | undefined> {
    const next = await this.#chunks.next().catch(() => ({ done: true, value: undefined }));
    return next.done ? undefined : next.value;
  }
}

/** One request on a connection of its own, with its body as it is (and its length, unless a header says otherwise). */
export async function exchange(
  port: number,
  method: string,
  target: string,
  headers: readonly HeaderLine[] = [],
  body: string | Uint8Array = "",
): Promise<WireResponse> {
  const connection = await Connection.open(port);
  try {
    const needsLength = body.length > 0 || method === "POST" || method === "PUT" || method === "PATCH";
    const length: readonly HeaderLine[] = needsLength
      ? [["Content-Length", String(Buffer.byteLength(body))]]
      : [];
    await connection.writeHead(method, target, [...headers, ...length]);
    if (body.length > 0) await connection.write(body);
    return await connection.read(method);
  } finally {
    connection.close();
  }
}

/** As `exchange`, the body in chunks of unknown total length, one for each element of `chunks`. */
export async function exchangeChunked(
  port: number,
  method: string,
  target: string,
  headers: readonly HeaderLine[],
  chunks: readonly (string | Uint8Array)[],
): Promise<WireResponse> {
  const connection = await Connection.open(port);
  try {
    await connection.writeHead(method, target, [...headers, ["Transfer-Encoding", "chunked"]]);
    for (const chunk of chunks) await connection.writeChunk(chunk);
    await connection.writeChunk("");
    return await connection.read(method);
  } finally {
    connection.close();
  }
}
