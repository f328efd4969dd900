/** A download that is going on. */
export interface Flight {
  /** Until then it counts as going on if nothing more is heard of it; Unix time in milliseconds. */
  aliveUntil: number;
}

/**
 * The downloads that go on in this isolate. They tell of themselves by plain values that others look at: a promise
 * of a request that is cut off would never be kept.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** Whether somebody is downloading what `key` names. */
  isUnderWay(key: string, now: number): boolean {
    return now < (this.#flights.get(key)?.aliveUntil ?? 0);
  }

  begin(key: string, aliveUntil: number): Flight {
    const flight = { aliveUntil };
    this.#flights.set(key, flight);
    return flight;
  }

  /** Ends a flight, unless another one has taken its place. */
  end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
