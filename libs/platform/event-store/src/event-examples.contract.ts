import type { Delivery } from './event-store.port.ts';
import type { EventToAppend, JsonObject } from '#platform/kernel';

/** An event whose id is its label, so a test reads as a sentence. */
export function eventNamed(id: string, type = 'Noted', data: JsonObject = { note: id }): EventToAppend {
  return {
    id,
    type,
    schemaVersion: 1,
    occurredAt: '2026-01-01T00:00:00.000Z',
    recordedAt: '2026-01-01T00:00:00.001Z',
    correlationId: 'correlation',
    causationId: 'causation',
    data,
  };
}

export function eventsNamed(...ids: string[]): EventToAppend[] {
  return ids.map((id) => eventNamed(id));
}

/** Deliveries as words: `a` for an event, `checkpoint`, `caughtUp`. */
export function told(deliveries: readonly Delivery[]): string[] {
  return deliveries.map((delivery) => (delivery.kind === 'event' ? delivery.event.id : delivery.kind));
}

/** Reads until `enough` says so, then ends the subscription. */
export async function readUntil(deliveries: AsyncIterable<Delivery>, enough: (seen: readonly Delivery[]) => boolean): Promise<Delivery[]> {
  const seen: Delivery[] = [];
  for await (const delivery of deliveries) {
    seen.push(delivery);
    if (enough(seen)) break;
  }
  return seen;
}

export const caughtUpTimes =
  (times: number) =>
  (seen: readonly Delivery[]): boolean =>
    seen.filter((delivery) => delivery.kind === 'caughtUp').length >= times;
