import type { Progress, RegistryProxy } from "../../test/clients/harness/proxy.ts";

/** What an upstream has sent, and for how long nothing passed between the last byte of a large blob and the next one. */
export class UpstreamWatch {
  #received = 0;
  #blob = "";
  #last = performance.now();
  readonly #gaps: number[] = [];

  /** Bytes. */
  get received(): number {
    return this.#received;
  }

  /** Milliseconds after each large blob. */
  get gaps(): readonly number[] {
    return this.#gaps;
  }

  /** Takes what the proxy before the upstream tells. */
  take({ received }: Progress, { exchanges }: RegistryProxy): void {
    const { path = "", range } = exchanges.at(-1) ?? {};
    const [blob = ""] = /sha256:[0-9a-f]+$/.exec(path) ?? [];
    if (range !== undefined && blob !== this.#blob) {
      if (this.#blob !== "") this.end();
      this.#blob = blob;
    }
    this.#received = received;
    this.#last = performance.now();
  }

  /** Nothing more comes of the last one. */
  end(): void {
    this.#gaps.push(performance.now() - this.#last);
  }
}
