import { ChainfoldError, messageOf } from '#platform/kernel';
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
    for (; at < events.length; at += 1) {
      const event = events[at] as RecordedEvent;
      // Several events may share a position (one that was split on reading): a transaction never ends between them.
      if (batch.rows >= MAX_ROWS_PER_COMMIT && event.position !== events[at - 1]?.position) break;
      tooMany = await this.#applyOne(event, batch, parked);
      if (tooMany !== undefined) break;
    }
    const last = events[at - 1];
    const position = at === events.length ? next : at === from ? this.#ledger.position : (last as RecordedEvent).position;
    this.#ledger.commit({ position, events: at - from, recordedAt: last?.recordedAt, batch, parked });
    return { at, tooMany };
  }

  /** Undefined when it was applied, else why it never will be. Throws what may pass by itself. */
  async try(event: RecordedEvent, batch: RowBatch): Promise<string | undefined> {
    try {
      const waiting = this.#ledger.projection.apply(event, batch);
      if (waiting !== undefined) await waiting;
      batch.settle();
      return undefined;
    } catch (error) {
      batch.takeBack();
      if (mayPass(error)) throw error;
      return messageWithReason(error);
    }
  }

  /** Answers why the projection has to pause, if so. Throws what may pass by itself. */
  async #applyOne(event: RecordedEvent, batch: RowBatch, parked: ParkedEvent[]): Promise<TooManyParkedKeys | undefined> {
    const { continuity, skippedPositions, parkedKeys, projection, parts } = this.#ledger;
    const gap = continuity.see(event);
    if (gap !== undefined) await gap;
    if (this.#types.size > 0 && !this.#types.has(event.type)) return undefined;
    if (skippedPositions.has(event.position)) return undefined;
    const key = this.#keyOf(event);
    if (parkedKeys.has(key)) {
      parked.push(toParked(event, key, undefined, parts.clock.now()));
      return undefined;
    }
    const failure = await this.try(event, batch);
    if (failure === undefined) return undefined;
    const { maxParkedKeys } = parts.settings;
    if (parkedKeys.size >= maxParkedKeys) return new TooManyParkedKeys(projection.name, maxParkedKeys, key, failure);
    parkedKeys.add(key);
    parked.push(toParked(event, key, failure, parts.clock.now()));
    return undefined;
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
