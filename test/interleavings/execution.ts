import type { Bucket, Clock, KeyValue } from "../../src/storage/ports.ts";
import { VirtualClock } from "../doubles/clock.ts";
import { createDoubles, type Doubles } from "../doubles/doubles.ts";
import { immediate } from "../doubles/gate.ts";
import { mutates, type Operation } from "../doubles/operation.ts";
import { withRandomness } from "./randomness.ts";
import { type Pending, Scheduler } from "./scheduler.ts";

/** What the application under test is made from, as one request sees it. */
export interface Ports {
  readonly bucket: Bucket;
  readonly kv: KeyValue;
  readonly clock: Clock;
  /** Of the Worker, for those who are served by an application of its own configuration. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** One request: what it asks, in the words of the sequential model, and how to send it. */
export interface Request<Question, Answer> {
  readonly question: Question;
  /** Resolves when the request is answered, to what reads the answer later (so that bodies cost no turn). */
  readonly send: (ports: Ports) => Promise<() => Promise<Answer>>;
}

/** A client sends one request after the other. */
export interface Client<Question, Answer> {
  readonly name: string;
  readonly requests: readonly Request<Question, Answer>[];
}

/** A request that dies: see crashes.ts. */
export interface Crash {
  readonly client: string;
  /** The client's first request is cut off once this many of its operations were answered. */
  readonly after: number;
  /** Of the writes then in flight, those with these numbers, in the order of their calls, never land. */
  readonly lost: readonly number[];
  /** Whether the client sends the request again. */
  readonly retry: boolean;
}

export interface Scenario<Question, Answer> {
  /** The contents that every run starts from. */
  readonly start: Doubles;
  readonly clients: readonly Client<Question, Answer>[];
  /** Asked one after the other when all is over, to see what is left. */
  readonly afterwards: readonly Request<Question, Answer>[];
  readonly crash?: Crash;
  /** Whether each turn takes a millisecond; else the clock stands still. */
  readonly ticking?: true;
  /** What stands between an actor and the doubles, for instance to leave a step out. */
  readonly wrap?: (ports: Ports) => Ports;
}

/** One turn: an operation that took effect, or a sleep that ended. */
export interface Event extends Pending {
  readonly client: string;
  /** Whether it was the first one of its request. */
  readonly begins: boolean;
  /** Whether a request was answered before the next turn. */
  readonly answers: boolean;
  /** Whether it changed its store. */
  readonly changed: boolean;
}

/** A request as the outside saw it; times are numbers of turns. */
export interface Entry<Question, Answer> {
  readonly client: string;
  readonly question: Question;
  /** The turn of its first operation. */
  readonly invoked: number;
  /** The number of turns taken when it was answered; undefined if it never was. */
  readonly returned: number | undefined;
  readonly answer: Answer | undefined;
}

export interface Outcome<Question, Answer> {
  readonly events: readonly Event[];
  readonly history: readonly Entry<Question, Answer>[];
  readonly doubles: Doubles;
  readonly crash: Crash | undefined;
  /** Writes in flight when the request died, lost ones included; undefined if none died. */
  readonly inFlightAtCrash: number | undefined;
  /** Clients that neither finished nor had anything pending when nothing could move any more. */
  readonly stuck: readonly string[];
}

interface Sent<Question, Answer> {
  readonly client: string;
  readonly actor: string;
  readonly question: Question;
  invoked?: number;
  returned?: number;
  read?: () => Promise<Answer>;
  error?: unknown;
  dead: boolean;
}

/** One run of a scenario, driven from outside turn by turn. */
export class Execution<Question, Answer> {
  readonly #scenario: Scenario<Question, Answer>;
  readonly #doubles: Doubles;
  readonly #scheduler: Scheduler;
  readonly #sent: Sent<Question, Answer>[] = [];
  readonly #events: Event[] = [];
  #inFlightAtCrash: number | undefined;

  private constructor(scenario: Scenario<Question, Answer>) {
    this.#scenario = scenario;
    this.#doubles = copyOf(scenario.start);
    this.#scheduler = new Scheduler(this.#doubles.clock);
    this.#doubles.gate.policy = this.#scheduler.policy;
  }

  /** Starts every client; nothing has taken effect when this resolves. */
  static async begin<Question, Answer>(
    scenario: Scenario<Question, Answer>,
  ): Promise<Execution<Question, Answer>> {
    const execution = new Execution(scenario);
    for (const client of scenario.clients) void execution.#run(client, 0, "");
    await execution.#settle();
    await execution.#crashIfDue();
    return execution;
  }

  /** What can come next, in a fixed order. */
  get pending(): readonly Pending[] {
    return this.#scheduler.pending;
  }

  /** Lets one pending operation take effect and waits until all actors wait again. */
  async release(pending: Pending): Promise<Event> {
    const { actor } = pending;
    const sent = this.#latest(actor);
    const begins = !sent.dead && sent.invoked === undefined;
    if (begins) sent.invoked = this.#scheduler.turns;
    const changes = this.#changes();
    const answered = this.#answered();
    if (this.#scenario.ticking) this.#doubles.clock.advance(1);
    this.#scheduler.release(pending.id);
    await this.#settle();
    const changed = this.#changes() > changes;
    const answers = this.#answered() > answered;
    const event = { ...pending, client: sent.client, begins, answers, changed };
    this.#events.push(event);
    await this.#crashIfDue();
    return event;
  }

  /** Asks what is left and collects what happened; for a run in which nothing is pending. */
  async finish(): Promise<Outcome<Question, Answer>> {
    const { gate } = this.#doubles;
    const stuck = this.#sent.filter((sent) => !sent.dead && sent.returned === undefined);
    gate.policy = immediate;
    // In the order of the clients, whoever was faster: equal histories must look equal.
    const byClient = this.#scenario.clients.flatMap(({ name }) =>
      this.#sent.filter((sent) => sent.client === name),
    );
    const history = await Promise.all(byClient.map((sent) => entryOf(sent)));
    let turn = this.#scheduler.turns;
    const ports = this.#portsOf("afterwards");
    for (const { question, send } of this.#scenario.afterwards) {
      turn += 1;
      const answer = await (await withRandomness("afterwards", () => send(ports)))();
      history.push({ client: "afterwards", question, invoked: turn, returned: turn, answer });
    }
    return {
      events: this.#events,
      history,
      doubles: this.#doubles,
      crash: this.#scenario.crash,
      inFlightAtCrash: this.#inFlightAtCrash,
      stuck: stuck.map((sent) => sent.actor),
    };
  }

  async #run(client: Client<Question, Answer>, from: number, suffix: string): Promise<void> {
    for (const [index, { question, send }] of client.requests.entries()) {
      if (index < from) continue;
      const actor = `${client.name}${client.requests.length === 1 ? "" : index + 1}${suffix}`;
      const sent: Sent<Question, Answer> = { client: client.name, actor, question, dead: false };
      this.#sent.push(sent);
      try {
        const read = await this.#asActor(actor, send);
        if (sent.dead) return;
        sent.read = read;
      } catch (error) {
        if (sent.dead) return;
        sent.error = error;
      }
      sent.invoked ??= this.#scheduler.turns;
      sent.returned = this.#scheduler.turns;
      this.#scheduler.moved();
    }
  }

  #asActor<T>(actor: string, send: (ports: Ports) => Promise<T>): Promise<T> {
    const ports = this.#portsOf(actor);
    return withRandomness(actor, () => send(this.#scenario.wrap?.(ports) ?? ports));
  }

  #portsOf(actor: string): Ports {
    const { r2, kv, clock } = this.#doubles;
    return {
      bucket: r2.actor(actor),
      kv: kv.actor(actor),
      clock: { now: () => clock.now(), sleep: (time) => this.#scheduler.sleep(actor, time) },
    };
  }

  async #crashIfDue(): Promise<void> {
    const { crash } = this.#scenario;
    if (crash === undefined || this.#inFlightAtCrash !== undefined) return;
    const client = this.#scenario.clients.find(({ name }) => name === crash.client);
    const sent = this.#sent.find((candidate) => candidate.client === crash.client);
    if (client === undefined || sent === undefined || sent.returned !== undefined) return;
    if (this.#events.filter((event) => event.actor === sent.actor).length < crash.after) return;
    sent.dead = true;
    const writes = this.pending.filter((pending) => isWriteOf(sent.actor, pending));
    this.#inFlightAtCrash = writes.length;
    const lost = new Set(crash.lost.map((number) => writes[number]));
    this.#scheduler.kill(sent.actor, (pending) => lost.has(pending) || !isWriteOf(sent.actor, pending));
    if (crash.retry) {
      void this.#run(client, 0, "'");
      await this.#settle();
    }
  }

  #settle(): Promise<void> {
    return this.#scheduler.settle(() => {
      const busy = new Set(this.#scheduler.pending.map((pending) => pending.actor));
      return this.#sent.every((sent) => sent.dead || sent.returned !== undefined || busy.has(sent.actor));
    });
  }

  #latest(actor: string): Sent<Question, Answer> {
    const sent = this.#sent.find((candidate) => candidate.actor === actor);
    if (sent === undefined) throw new Error(`nobody is called ${actor}`);
    return sent;
  }

  #answered(): number {
    return this.#sent.filter((sent) => sent.returned !== undefined).length;
  }

  #changes(): number {
    return this.#doubles.r2.store.changes + this.#doubles.kv.store.changes;
  }
}

function isWriteOf(
  actor: string,
  pending: { readonly actor: string; readonly operation: Operation | undefined },
) {
  return pending.actor === actor && pending.operation !== undefined && mutates(pending.operation);
}

async function entryOf<Question, Answer>(sent: Sent<Question, Answer>): Promise<Entry<Question, Answer>> {
  const { client, question, invoked = Number.POSITIVE_INFINITY, returned } = sent;
  if (sent.error !== undefined) throw sent.error;
  const answer = returned === undefined ? undefined : await sent.read?.();
  return { client, question, invoked, returned, answer };
}

function copyOf(start: Doubles): Doubles {
  const doubles = createDoubles({ clock: new VirtualClock({ start: start.clock.now() }) });
  doubles.r2.store.load(start.r2.store.objects());
  doubles.kv.store.load(start.kv.store.entries());
  return doubles;
}
