import { appendFileSync, writeFileSync } from 'node:fs';
import { ActorSystem } from '#platform/actors';
import { openMemoryEventStore } from '#platform/event-store';
import { START } from '#platform/kernel';
import { ManualClock } from '#platform/testing';
import { defineApiKeyActors } from '../../libs/contexts/key-pool/src/application/api-key-actors.ts';
import type { ApiKeyCommand } from '../../libs/contexts/key-pool/src/domain/api-key.commands.ts';
import type { Limit } from '../../libs/contexts/key-pool/src/domain/tariff.ts';
import { EXAMPLES_FILE, examples, STATES_FILE, statesOf } from './event-versions.ts';

/** Made the examples of the keys' events of version 1, once: what is released stays as it is. */
const clock = new ManualClock('2026-11-26T23:59:30.000Z');
const log = openMemoryEventStore();
const keys = defineApiKeyActors(new ActorSystem({ store: log, clock }));
const limits: readonly Limit[] = [
  { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
  { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 3_000_000 },
];
let told = 0;
const tell = async (command: ApiKeyCommand): Promise<void> => {
  told += 1;
  await keys.tell('infura-01', command, { causationId: `key-cause-${told}`, correlationId: 'recorded' });
};
const settle = (lease: string, sequence: number, over: boolean): ApiKeyCommand => ({
  type: 'SettleBudget',
  settlement: { lease, sequence, acknowledged: { units: 160 }, unacknowledged: { units: 80 }, requests: 3, errors: { unanswered: 1 }, by: [{ chainId: '1', method: 'eth_getBlockByHash', calls: 3, units: 240 }], over },
});
const lease = (id: string): ApiKeyCommand => ({ type: 'LeaseBudget', lease: id, holder: 'inside.1', forMs: 10_000, parts: 1, least: {} });

await tell({ type: 'RegisterKey', alias: 'infura-01', provider: 'infura', fingerprints: ['8f434346'], limits, slackMs: 40 });
await tell(lease('infura-01.a'));
await clock.advance(6_000);
await tell(settle('infura-01.a', 1, false));
await tell(lease('infura-01.a'));
await tell(settle('infura-01.a', 2, true));
await clock.advance(20_000);
await tell(lease('infura-01.b'));
await tell({ type: 'LoseLeases', holders: 'inside.', but: 'inside.2' });
await tell({ type: 'CloseKey', state: 'throttled', until: clock.now() + 2_000, message: 'Too Many Requests' });
await tell({ type: 'CloseKey', state: 'exhausted', until: clock.now() + 5_000, message: 'Payment Required' });
await clock.advance(20_000);
await tell(lease('infura-01.c'));
await tell({ type: 'CloseKey', state: 'revoked', until: null, message: 'invalid project id' });

if (!examples().some(({ stream }) => stream.startsWith('apikey-'))) {
  const { events } = await log.readAll(START, {}, 1_000);
  appendFileSync(EXAMPLES_FILE, events.map(({ position: _, ...event }) => `${JSON.stringify(event)}\n`).join(''));
}
writeFileSync(STATES_FILE, `${JSON.stringify(await statesOf(examples(), {}), null, 1)}\n`);
