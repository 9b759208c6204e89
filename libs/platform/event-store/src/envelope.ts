import type { DomainEvent, IsoTime, StreamName } from '#platform/kernel';
import { prepareEvent, type PreparedEvent } from './append-text.ts';
import { eventId } from './event-id.ts';
import { MAX_BYTES_PER_APPEND, MAX_EVENTS_PER_APPEND } from './event-store.port.ts';

/** What all events of one decision share. */
export interface Occasion {
  readonly recordedAt: IsoTime;
  readonly correlationId: string;
  readonly causationId: string;
  readonly commandId?: string | undefined;
  readonly trace?: string | undefined;
}

/** A fact with everything that it is stored with but its place in the log. */
export function enveloped(stream: StreamName, revision: number, schemaVersion: number, fact: DomainEvent, occasion: Occasion): PreparedEvent {
  const { recordedAt, correlationId, causationId, commandId, trace } = occasion;
  return prepareEvent({
    id: eventId(stream, revision, fact.type, fact.naturalKey ?? ''),
    type: fact.type,
    schemaVersion,
    occurredAt: fact.occurredAt ?? recordedAt,
    recordedAt,
    correlationId,
    causationId,
    ...(commandId !== undefined && { commandId }),
    ...(trace !== undefined && { trace }),
    data: fact.data,
  });
}

/** In order, each within the limits of one append. */
export function inAppends(events: readonly PreparedEvent[]): readonly (readonly PreparedEvent[])[] {
  const appends: PreparedEvent[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    const open = appends.at(-1)!;
    if (open.length === MAX_EVENTS_PER_APPEND || (open.length > 0 && bytes + event.bytes > MAX_BYTES_PER_APPEND)) {
      appends.push([event]);
      bytes = event.bytes;
    } else {
      open.push(event);
      bytes += event.bytes;
    }
  }
  return appends;
}
