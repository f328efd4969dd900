import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that a webhook got. */
export interface Delivery {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of `webhook-id`. */
  readonly id: string;
  /** How often this path had got this id, this time included. */
  readonly attempt: number;
  /** Milliseconds of a steady clock. */
  readonly at: number;
}

/** Answers a delivery, or does not. */
export type Behaviour = (delivery: Delivery, response: ServerResponse) => void;

/** An HTTP server that receives webhooks, a behaviour for each path. */
export class Receiver {
  readonly deliveries: Delivery[] = [];
  readonly #server;

  constructor(behaviours: Readonly<Record<string, Behaviour>>) {
    this.#server = createServer(async (request, response) => {
      const path = (request.url ?? "").slice(1);
      const id = String(request.headers["webhook-id"]);
      const body = await text(request);
      const attempt = this.of(path).filter((earlier) => earlier.id === id).length + 1;
      const delivery = { path, headers: request.headers, body, id, attempt, at: performance.now() };
      this.deliveries.push(delivery);
      behaviours[path]?.(delivery, response);
    });
  }

  /** Listens on a free port of this machine. @returns its origin. */
  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What one path got, in order. */
  of(path: string): readonly Delivery[] {
    return this.deliveries.filter((delivery) => delivery.path === path);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
