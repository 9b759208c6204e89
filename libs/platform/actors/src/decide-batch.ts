import { enveloped, MAX_BYTES_PER_APPEND, MAX_BYTES_PER_EVENT, MAX_EVENTS_PER_APPEND, type PreparedEvent } from '#platform/event-store';
import type { Clock, DomainEvent, StreamName } from '#platform/kernel';
import { DeadlinePassed, DecisionTooLarge, DecisionUnsound, RevisionMismatch } from './actors.errors.ts';
import type { ActorDefinition } from './actors.port.ts';
import type { Remembered } from './command-memory.ts';
import type { Folded } from './fold.ts';
import type { Waiting } from './mailbox.ts';

/** How one command of a batch was decided. */
export type Verdict =
  /** Its events are `batch.events[from]` up to, not including, `to`; none when there was nothing to say. */
  | { readonly kind: 'decided'; readonly from: number; readonly to: number }
  /** It wrote these already; a resumable one has now decided the rest of it. */
  | { readonly kind: 'remembered'; readonly was: Remembered; readonly from: number; readonly to: number }
  /** Another command of this batch has its id. */
  | { readonly kind: 'same-as'; readonly index: number }
  /** `onTentative`: the refusal may rest on facts of this batch, so it holds only when they are written. */
  | { readonly kind: 'refused'; readonly error: unknown; readonly onTentative: boolean; readonly expired: boolean };

export interface Batch<State> {
  /** One for each of the first commands of the mailbox. */
  readonly verdicts: readonly Verdict[];
  readonly events: readonly PreparedEvent[];
  readonly state: State;
  /** More than one append takes, so written in parts; all events are of one command. */
  readonly oversize: boolean;
}

interface Tentative<State> {
  readonly state: State;
  readonly events: readonly PreparedEvent[];
  readonly bytes: number;
}

/** Decides waiting commands in turn, each on what those before it decided, as many as one append takes. */
export class BatchDecision<State, Command, Event extends DomainEvent> {
  readonly #definition: ActorDefinition<State, Command, Event>;
  readonly #stream: StreamName;
  readonly #folded: Folded<State>;
  readonly #clock: Clock;
  #tentative: Tentative<State>;
  readonly #verdicts: Verdict[] = [];
  /** Index of the command of this batch that has this id and wrote. */
  readonly #ids = new Map<string, number>();
  #oversize = false;

  constructor(definition: ActorDefinition<State, Command, Event>, stream: StreamName, folded: Folded<State>, clock: Clock) {
    this.#definition = definition;
    this.#stream = stream;
    this.#folded = folded;
    this.#clock = clock;
    this.#tentative = { state: folded.state, events: [], bytes: 0 };
  }

  decide(waiting: readonly Waiting<Command>[]): Batch<State> {
    for (const item of waiting) {
      const verdict = this.#verdictOf(item);
      // What does not fit any more is decided again, alone or with others, on the next turn.
      if (verdict === undefined) break;
      this.#verdicts.push(verdict);
      if (this.#oversize) break;
    }
    const { state, events } = this.#tentative;
    return { verdicts: this.#verdicts, events, state, oversize: this.#oversize };
  }

  #verdictOf(item: Waiting<Command>): Verdict | undefined {
    const { commandId, deadline, expectedRevision } = item.options;
    if (deadline !== undefined && this.#clock.monotonic() > deadline) return refused(new DeadlinePassed(this.#stream), false, true);
    const twin = commandId === undefined ? undefined : this.#ids.get(commandId);
    if (twin !== undefined) return { kind: 'same-as', index: twin };
    const was = commandId === undefined ? undefined : this.#folded.memory.find(commandId);
    const from = this.#tentative.events.length;
    if (was !== undefined && this.#definition.resumable !== true) return { kind: 'remembered', was, from, to: from };
    try {
      const revision = this.#folded.revision + from;
      if (was === undefined && expectedRevision !== undefined && expectedRevision !== revision) {
        throw new RevisionMismatch(this.#stream, expectedRevision, revision);
      }
      const next = this.#extend(item);
      if (next === undefined) return undefined;
      this.#tentative = next;
      const to = next.events.length;
      if (commandId !== undefined && to > from) this.#ids.set(commandId, this.#verdicts.length);
      return was === undefined ? { kind: 'decided', from, to } : { kind: 'remembered', was, from, to };
    } catch (error) {
      return refused(error, from > 0, false);
    }
  }

  /** The batch with this command's events; undefined when they do not fit beside the others. */
  #extend(item: Waiting<Command>): Tentative<State> | undefined {
    const before = this.#tentative;
    const now = this.#clock.now();
    const facts = this.#definition.decider.decide(item.command, before.state, { now });
    if (facts.length === 0) return before;
    const recordedAt = new Date(now).toISOString();
    const events = [...before.events];
    let { state, bytes } = before;
    for (const fact of facts) {
      const event = this.#envelope(fact, this.#folded.revision + 1 + events.length, recordedAt, item);
      const size = event.bytes;
      if (size > MAX_BYTES_PER_EVENT) throw new DecisionTooLarge(this.#stream, 'bytesOfOneEvent', MAX_BYTES_PER_EVENT, size);
      state = this.#evolve(state, fact);
      events.push(event);
      bytes += size;
    }
    if (events.length <= MAX_EVENTS_PER_APPEND && bytes <= MAX_BYTES_PER_APPEND) return { state, events, bytes };
    if (before.events.length > 0) return undefined;
    if (this.#definition.resumable !== true) throw this.#tooLarge(events.length, bytes);
    this.#oversize = true;
    return { state, events, bytes };
  }

  #evolve(state: State, fact: Event): State {
    try {
      return this.#definition.decider.evolve(state, fact);
    } catch (error) {
      throw new DecisionUnsound(this.#stream, fact.type, 'evolve threw on an event that decide made', error);
    }
  }

  #envelope(fact: Event, revision: number, recordedAt: string, { options, causationId }: Waiting<Command>): PreparedEvent {
    const type: Event['type'] = fact.type;
    const schemaVersion = (this.#definition.schemaVersions as Readonly<Record<string, number | undefined>>)[type];
    if (schemaVersion === undefined) throw new DecisionUnsound(this.#stream, type, 'the definition has no schema version for it');
    return enveloped(this.#stream, revision, schemaVersion, fact, {
      recordedAt,
      correlationId: options.correlationId ?? options.commandId ?? causationId,
      causationId,
      commandId: options.commandId,
      trace: options.trace,
    });
  }

  #tooLarge(events: number, bytes: number): DecisionTooLarge {
    return events > MAX_EVENTS_PER_APPEND
      ? new DecisionTooLarge(this.#stream, 'events', MAX_EVENTS_PER_APPEND, events)
      : new DecisionTooLarge(this.#stream, 'bytes', MAX_BYTES_PER_APPEND, bytes);
  }
}

function refused(error: unknown, onTentative: boolean, expired: boolean): Verdict {
  return { kind: 'refused', error, onTentative, expired };
}
