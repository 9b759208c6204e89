import type { DomainEvent, EventToAppend, IsoTime, StreamName } from '#platform/kernel';
import { bytesOf, type JsonText, prepareEvent, type PreparedEvent, type TextEvent } from './append-text.ts';
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
  return prepareEvent({ ...envelopeOf(stream, revision, schemaVersion, fact, occasion), data: fact.data });
}

/** The same of a fact whose data is JSON already: `json` is what `JSON.stringify` would have made of it. Pieces of bytes must stay until it is written. */
export function envelopedText(stream: StreamName, revision: number, schemaVersion: number, fact: TextFact, occasion: Occasion): TextEvent {
  const envelope = envelopeOf(stream, revision, schemaVersion, fact, occasion);
  return { ...envelope, json: fact.json, bytes: bytesOf(envelope, fact.json) };
}

export type TextFact = Omit<DomainEvent, 'data'> & { readonly json: JsonText };

function envelopeOf(stream: StreamName, revision: number, schemaVersion: number, fact: Omit<DomainEvent, 'data'>, occasion: Occasion): Omit<EventToAppend, 'data'> {
  const { recordedAt, correlationId, causationId, commandId, trace } = occasion;
  return {
    id: eventId(stream, revision, fact.type, fact.naturalKey ?? ''),
    type: fact.type,
    schemaVersion,
    occurredAt: fact.occurredAt ?? recordedAt,
    recordedAt,
    correlationId,
    causationId,
    ...(commandId !== undefined && { commandId }),
    ...(trace !== undefined && { trace }),
  };
}

/** In order, each within the limits of one append. */
export function inAppends<E extends TextEvent>(events: readonly E[]): readonly (readonly E[])[] {
  const appends: E[][] = [[]];
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
