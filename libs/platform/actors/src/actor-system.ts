import { randomInt } from 'node:crypto';
import type { EventStore } from '#platform/event-store';
import { ChainfoldError, type Clock, type DomainEvent } from '#platform/kernel';
import { silentLogger, type Logger } from '#platform/observability';
import type { ActorHooks } from './actor-hooks.ts';
import { ActorKind, type KindDepth } from './actor-kind.ts';
import { DEFAULT_LIMITS, type ActorLimits, type ActorServices } from './actor-services.ts';
import { Draining } from './actors.errors.ts';
import type { ActorDefinition, Actors } from './actors.port.ts';
import { Backlog } from './mailbox.ts';
import type { SnapshotStore } from './snapshot-store.port.ts';

export interface ActorSystemOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** Left out: streams are always folded from their start. */
  readonly snapshots?: SnapshotStore;
  readonly limits?: Partial<ActorLimits>;
  readonly hooks?: ActorHooks;
  readonly logger?: Logger;
  /** For the pauses between retries; a test gives a seeded one. */
  readonly random?: () => number;
}

export interface Drained {
  /** Everything that waited was answered within the budget. */
  readonly finished: boolean;
  /** Commands that were not: refused with `draining`, or still with the store. */
  readonly abandoned: number;
}

const SWEEP_EVERY_MS = 1_000;

/** All actors of a process: one writer per stream, the only ones that append to the log. */
export class ActorSystem {
  readonly #services: ActorServices;
  readonly #kinds = new Map<string, ActorKind<unknown, unknown, DomainEvent>>();
  #drained: Promise<Drained> | undefined;
  #sweptAt: number;

  constructor(options: ActorSystemOptions) {
    this.#services = {
      store: options.store,
      clock: options.clock,
      snapshots: options.snapshots,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      hooks: options.hooks ?? {},
      logger: options.logger ?? silentLogger,
      random: options.random ?? (() => randomInt(2 ** 32) / 2 ** 32),
      backlog: new Backlog(),
    };
    this.#sweptAt = options.clock.monotonic();
  }

  /** Once per category, when the process is put together. */
  define<State, Command, Event extends DomainEvent>(definition: ActorDefinition<State, Command, Event>): Actors<State, Command> {
    if (this.#kinds.has(definition.category)) throw new CategoryTaken(definition.category);
    const kind = new ActorKind(definition, this.#services, () => this.#sweep());
    this.#kinds.set(definition.category, kind);
    return kind;
  }

  /** Takes no new work from now on, and lets mailboxes finish for so long. Reading goes on. */
  drain(budgetMs: number): Promise<Drained> {
    this.#drained ??= this.#drain(budgetMs);
    return this.#drained;
  }

  /** For metrics: what waits, by kind. */
  depths(): readonly KindDepth[] {
    return [...this.#kinds.values()].map((kind) => kind.depth());
  }

  async #drain(budgetMs: number): Promise<Drained> {
    const kinds = [...this.#kinds.values()];
    for (const kind of kinds) kind.refuseNewWork();
    const busy = kinds.flatMap((kind) => kind.busy());
    const done = new AbortController();
    const budget = this.#services.clock.sleep(budgetMs, done.signal).then(
      () => false,
      () => true,
    );
    const finished = await Promise.race([Promise.all(busy.map((actor) => actor.rest())).then(() => true), budget]);
    done.abort();
    if (finished) return { finished, abandoned: 0 };
    for (const actor of busy) actor.stop(new Draining(actor.stream));
    return { finished, abandoned: this.#services.backlog.commands };
  }

  /** Nothing in memory grows while nobody asks for anything, so no timer is needed. */
  #sweep(): void {
    const now = this.#services.clock.monotonic();
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    for (const kind of this.#kinds.values()) kind.dropIdle(now);
  }
}

class CategoryTaken extends ChainfoldError {
  constructor(category: string) {
    super('Two kinds of actors claim one category', { code: 'category-taken', kind: 'bug', facts: { category }, hint: 'Define it once and pass it on.' });
  }
}
