import type { RecordedEvent } from '#platform/kernel';
import type { Projection, ProjectionBatch } from '#platform/projections';
import type { ApiKeyEvent } from '../domain/api-key.events.ts';
import { keyUsageTables, MINUTES_KEPT } from './key-usage.table.ts';

export const KEY_USAGE = 'key-usage';

type Settled = Extract<ApiKeyEvent, { type: 'BudgetSettled' }>['data'];
const REFUSALS = { KeyThrottled: 'throttled', KeyExhausted: 'exhausted', KeyRevoked: 'revoked' } as const;
const DAY_CHARACTERS = 10;
const MINUTE_MS = 60_000;

/** What was asked of each key and what it cost, by minute and by day. What a key may spend is its actor's to say. */
export const keyUsage: Projection = {
  name: KEY_USAGE,
  version: 2,
  types: ['BudgetSettled', ...Object.keys(REFUSALS)],
  tables: keyUsageTables,
  keyOf: (event) => event.stream,
  apply: (event, batch) => applyEvent(aliasOf(event), event as unknown as ApiKeyEvent, batch),
};

async function applyEvent(alias: string, event: ApiKeyEvent, batch: ProjectionBatch): Promise<void> {
  switch (event.type) {
    case 'BudgetSettled':
      await countMinute(alias, event.data, batch);
      await countSpent(alias, event.data, batch);
      await countRefusals(alias, event.data, batch);
      return noteLately(alias, event.data.requests > 0 ? { settled_at: event.data.at } : {}, batch);
    case 'KeyThrottled':
    case 'KeyExhausted':
    case 'KeyRevoked':
      return noteLately(alias, { refused_at: event.data.at, refusal: REFUSALS[event.type], reason: event.data.message }, batch);
    default:
      return;
  }
}

async function countMinute(alias: string, { at, acknowledged, unacknowledged, requests, errors }: Settled, batch: ProjectionBatch): Promise<void> {
  const minute = Math.floor(at / MINUTE_MS);
  const key = { alias, slot: minute % MINUTES_KEPT };
  const row = await batch.get('minutes', key);
  const before = row?.['minute'] === minute ? row : undefined;
  batch.put('minutes', {
    ...key,
    minute,
    requests: Number(before?.['requests'] ?? 0) + requests,
    errors: Number(before?.['errors'] ?? 0) + Object.values(errors).reduce((sum, count) => sum + count, 0),
    units: Number(before?.['units'] ?? 0) + (acknowledged['units'] ?? 0) + (unacknowledged['units'] ?? 0),
  });
}

async function countSpent(alias: string, { at, by }: Settled, batch: ProjectionBatch): Promise<void> {
  const day = dayOf(at);
  for (const { chainId, method, calls, units } of by) {
    const key = { alias, day, chain: chainId, method };
    const before = await batch.get('spent', key);
    batch.put('spent', { ...key, calls: Number(before?.['calls'] ?? 0) + calls, units: Number(before?.['units'] ?? 0) + units });
  }
}

async function countRefusals(alias: string, { at, errors }: Settled, batch: ProjectionBatch): Promise<void> {
  for (const [kind, count] of Object.entries(errors)) {
    const key = { alias, day: dayOf(at), class: kind };
    const before = await batch.get('refusals', key);
    batch.put('refusals', { ...key, count: Number(before?.['count'] ?? 0) + count });
  }
}

async function noteLately(alias: string, change: Readonly<Record<string, string | number>>, batch: ProjectionBatch): Promise<void> {
  const unknown = { settled_at: null, refused_at: null, refusal: null, reason: null };
  batch.put('lately', { ...unknown, ...(await batch.get('lately', { alias })), ...change, alias });
}

/** Of UTC. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, DAY_CHARACTERS);
}

/** `apikey-{alias}` */
function aliasOf({ stream }: RecordedEvent): string {
  return stream.slice('apikey-'.length);
}
