import { streamName, type DomainEvent, type StreamName } from '#platform/kernel';
import { Actor } from './actor.ts';
import type { ActorServices } from './actor-services.ts';
import { Draining, Overloaded } from './actors.errors.ts';
import type { ActorDefinition, Actors, TellOptions, Told } from './actors.port.ts';

/** What waits in the actors of one kind, and how many are in memory. */
export interface KindDepth {
  readonly category: string;
  readonly resident: number;
  readonly quarantined: number;
  readonly commands: number;
  readonly bytes: number;
}

/** The actors of one kind that are in memory. The least recently used comes first in the map. */
export class ActorKind<State, Command, Event extends DomainEvent> implements Actors<State, Command> {
  readonly #definition: ActorDefinition<State, Command, Event>;
  readonly #services: ActorServices;
  readonly #beforeUse: () => void;
  readonly #resident = new Map<StreamName, Actor<State, Command, Event>>();
  #draining = false;

  constructor(definition: ActorDefinition<State, Command, Event>, services: ActorServices, beforeUse: () => void) {
    this.#definition = definition;
    this.#services = services;
    this.#beforeUse = beforeUse;
  }

  stream(id: string): StreamName {
    return streamName(this.#definition.category, id);
  }

  async tell(id: string, command: Command, options: TellOptions = {}): Promise<Told> {
    const stream = this.stream(id);
    const { hooks } = this.#services;
    if (this.#draining) {
      hooks.told?.(this.#definition.category, 'draining', 0);
      throw new Draining(stream);
    }
    const actor = this.#use(stream);
    try {
      return await actor.tell(command, options);
    } catch (error) {
      if (error instanceof Overloaded) hooks.told?.(this.#definition.category, 'overloaded', 0);
      throw error;
    }
  }

  async peek(id: string): Promise<{ readonly state: State; readonly revision: number }> {
    return this.#use(this.stream(id)).peek();
  }

  refuseNewWork(): void {
    this.#draining = true;
  }

  /** Those that still work on something. */
  busy(): readonly Actor<State, Command, Event>[] {
    return [...this.#resident.values()].filter((actor) => actor.busy);
  }

  depth(): KindDepth {
    const actors = [...this.#resident.values()];
    return {
      category: this.#definition.category,
      resident: actors.length,
      quarantined: actors.filter((actor) => actor.quarantined).length,
      commands: actors.reduce((sum, actor) => sum + actor.depth.commands, 0),
      bytes: actors.reduce((sum, actor) => sum + actor.depth.bytes, 0),
    };
  }

  dropIdle(now: number): void {
    for (const actor of this.#resident.values()) {
      if (now - actor.lastUsed <= this.#services.limits.idleMs) return;
      this.#dropUnlessBusy(actor, 'idle');
    }
  }

  #use(stream: StreamName): Actor<State, Command, Event> {
    this.#beforeUse();
    const actor = this.#resident.get(stream) ?? this.#admit(stream);
    actor.lastUsed = this.#services.clock.monotonic();
    this.#resident.delete(stream);
    this.#resident.set(stream, actor);
    return actor;
  }

  /** A busy actor never leaves: two of one stream in this process would be in each other's way. */
  #admit(stream: StreamName): Actor<State, Command, Event> {
    const max = this.#definition.maxResident ?? this.#services.limits.maxResident;
    for (const actor of this.#resident.values()) {
      if (this.#resident.size < max) break;
      this.#dropUnlessBusy(actor, 'crowded');
    }
    return new Actor(stream, this.#definition, this.#services);
  }

  #dropUnlessBusy(actor: Actor<State, Command, Event>, reason: 'idle' | 'crowded'): void {
    if (actor.busy) return;
    this.#resident.delete(actor.stream);
    this.#services.hooks.passivated?.(this.#definition.category, reason);
  }
}
