import type { RecordedEvent } from '#platform/kernel';
import type { ParkedEvent, SkippedEvent } from '#platform/read-store';
import type { EventApplication } from './event-application.ts';
import type { GenerationLedger } from './generation-ledger.ts';
import { NothingParked } from './projection.errors.ts';
import type { Retried } from './projection-status.ts';
import type { RowBatch } from './row-batch.ts';

/**
 * Applies what is parked under a key, in order and in one transaction, up to the first event that still fails. With a
 * reason the first one is left out for ever instead of applied. Throws `nothing-parked`.
 */
export async function retryKey(ledger: GenerationLedger, application: EventApplication, key: string, skipReason?: string): Promise<Retried> {
  const waiting = ledger.parked(key);
  if (waiting.length === 0) throw new NothingParked(ledger.projection.name, key);
  const batch = ledger.batch();
  const done: ParkedEvent[] = [];
  const skipped: SkippedEvent[] = [];
  let failure: string | undefined;
  for (const event of waiting) {
    if (skipReason !== undefined && skipped.length === 0) skipped.push({ ...event, reason: skipReason, skippedAt: ledger.parts.clock.now() });
    else failure = await tryAgain(ledger, application, event, batch);
    if (failure !== undefined) break;
    done.push(event);
  }
  const stillFirst = waiting[done.length];
  const parked = stillFirst === undefined ? [] : [{ ...stillFirst, error: failure }];
  const applied = done.length - skipped.length;
  ledger.commit({ position: ledger.position, events: applied, recordedAt: undefined, batch, parked, unparked: done, skipped });
  for (const { position } of skipped) ledger.skippedPositions.add(position);
  if (stillFirst === undefined) ledger.parkedKeys.delete(key);
  return { applied, remaining: waiting.length - done.length, error: failure };
}

async function tryAgain(ledger: GenerationLedger, application: EventApplication, parked: ParkedEvent, batch: RowBatch): Promise<string | undefined> {
  const events = await ledger.parts.reader.readStream(parked.stream as RecordedEvent['stream'], parked.revision, 1);
  return events.length === 0 ? 'the log does not hold this event any more' : application.try(events, batch);
}
