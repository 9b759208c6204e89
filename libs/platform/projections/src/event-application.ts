import { ChainfoldError, DROPPED, messageOf } from '#platform/kernel';
import type { Position, RecordedEvent } from '#platform/kernel';
import { isTransientSqlite, sqliteCode } from '#platform/read-store';
import type { ParkedEvent } from '#platform/read-store';
import type { GenerationLedger } from './generation-ledger.ts';
import { TooManyParkedKeys } from './projection.errors.ts';
import type { RowBatch } from './row-batch.ts';

/** A transaction is closed at so many rows, wherever in the page it is. */
const MAX_ROWS_PER_COMMIT = 20_000;

/** Where to go on in the events, and why the projection has to pause before that one, if so. */
export interface Applied {
  readonly at: number;
  readonly tooMany: TooManyParkedKeys | undefined;
}

/** Events in log order into rows, a transaction at a time. What never can be applied is parked with its key. */
export class EventApplication {
  readonly #ledger: GenerationLedger;
  readonly #types: ReadonlySet<string>;

  constructor(ledger: GenerationLedger) {
    this.#ledger = ledger;
    this.#types = new Set(ledger.projection.types);
  }

  /** One transaction. `next`: where it stands once all of `events` are applied. */
  async applySome(events: readonly RecordedEvent[], from: number, next: Position): Promise<Applied> {
    const batch = this.#ledger.batch();
    const parked: ParkedEvent[] = [];
    let tooMany: TooManyParkedKeys | undefined;
    let at = from;
    while (at < events.length && batch.rows < MAX_ROWS_PER_COMMIT) {
      const event = events[at] as RecordedEvent;
      // What one event was split into on reading is applied whole or parked whole: they have one place.
      let end = at + 1;
      while (isSamePlace(events[end], event)) end += 1;
      tooMany = await this.#applyOne(event, end === at + 1 ? undefined : events.slice(at, end), batch, parked);
      if (tooMany !== undefined) break;
      at = end;
    }
    const last = events[at - 1];
    const position = at === events.length ? next : at === from ? this.#ledger.position : (last as RecordedEvent).position;
    this.#ledger.commit({ position, events: at - from, recordedAt: last?.recordedAt, batch, parked });
    return { at, tooMany };
  }

  /** Undefined when all that stands at one place was applied, else why it never will be. Throws what may pass by itself. */
  async try(events: readonly RecordedEvent[], batch: RowBatch): Promise<string | undefined> {
    try {
      for (const event of events) {
        if (!this.#isRead(event)) continue;
        const waiting = this.#ledger.projection.apply(event, batch);
        if (waiting !== undefined) await waiting;
      }
      batch.settle();
      return undefined;
    } catch (error) {
      batch.takeBack();
      if (mayPass(error)) throw error;
      return messageWithReason(error);
    }
  }

  /** Answers why the projection has to pause, if so. Throws what may pass by itself. */
  async #applyOne(event: RecordedEvent, whole: readonly RecordedEvent[] | undefined, batch: RowBatch, parked: ParkedEvent[]): Promise<TooManyParkedKeys | undefined> {
    const { continuity, skippedPositions, parkedKeys, projection, parts } = this.#ledger;
    const gap = continuity.see(event);
    if (gap !== undefined) await gap;
    if (whole === undefined && !this.#isRead(event)) return undefined;
    if (skippedPositions.has(event.position)) return undefined;
    const key = this.#keyOf(event);
    if (parkedKeys.has(key)) {
      parked.push(toParked(event, key, undefined, parts.clock.now()));
      return undefined;
    }
    const failure = await this.try(whole ?? [event], batch);
    if (failure === undefined) return undefined;
    const { maxParkedKeys } = parts.settings;
    if (parkedKeys.size >= maxParkedKeys) return new TooManyParkedKeys(projection.name, maxParkedKeys, key, failure);
    parkedKeys.add(key);
    parked.push(toParked(event, key, failure, parts.clock.now()));
    return undefined;
  }

  #isRead({ type }: RecordedEvent): boolean {
    return this.#types.size === 0 ? type !== DROPPED : this.#types.has(type);
  }

  /** An event whose key can not be told is parked with its stream. */
  #keyOf(event: RecordedEvent): string {
    try {
      return this.#ledger.projection.keyOf(event);
    } catch {
      return `stream ${event.stream}`;
    }
  }
}

/** Revisions first: they nearly always differ, and are numbers. */
function isSamePlace(event: RecordedEvent | undefined, before: RecordedEvent): boolean {
  return event?.revision === before.revision && event.stream === before.stream;
}

function toParked(event: RecordedEvent, key: string, error: string | undefined, parkedAt: number): ParkedEvent {
  return { key, position: event.position, stream: event.stream, revision: event.revision, type: event.type, error, parkedAt };
}

/** Trouble of the surroundings, not of the event: it is tried again for ever. */
function mayPass(error: unknown): boolean {
  if (error instanceof ChainfoldError) return error.retryable || error.code === 'data-damaged';
  return isTransientSqlite(error) || sqliteCode(error) !== undefined;
}

function messageWithReason(error: unknown): string {
  const reason: unknown = error instanceof ChainfoldError ? error.facts['reason'] : undefined;
  return typeof reason === 'string' ? `${messageOf(error)}: ${reason}` : messageOf(error);
}
