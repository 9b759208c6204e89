import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventToAppend, START, streamName } from '#platform/kernel';
import { type EventStore, openSqliteEventStore } from '#platform/event-store';
import { Figures } from './figures.ts';

/**
 * The log alone: durable appends, many small commands at once, replay. Prints one JSON line a figure, asserts nothing.
 * `node --conditions=source test/load/append.bench.ts [runs]`
 */
const RUNS = Number(process.argv[2] ?? 3);
const BATCH = 200;
const BATCHES = 1_500;
const CALLERS = 64;
const COMMANDS = 64_000;

const hexOf = (seed: string): string => `0x${createHash('sha256').update(seed).digest('hex')}`;
/** An event of about 400 bytes of JSON in all, with hashes that do not compress, as events of a chain have. */
function smallEvent(stream: string, i: number, commandId?: string): EventToAppend {
  const digest = hexOf(`${stream}/${i}`);
  return {
    id: `${digest.slice(2, 10)}-${digest.slice(10, 14)}-5${digest.slice(15, 18)}-a${digest.slice(19, 22)}-${digest.slice(22, 34)}`,
    type: i % 10 === 0 ? 'OrderPlaced' : 'TradeExecuted',
    schemaVersion: 1,
    occurredAt: '2026-01-01T00:00:00.000Z',
    recordedAt: '2026-01-01T00:00:00.123Z',
    correlationId: '0b7e3c1e-8f42-5e0b-9d5c-1f2a3b4c5d6e',
    causationId: '0b7e3c1e-8f42-5e0b-9d5c-1f2a3b4c5d6f',
    ...(commandId !== undefined && { commandId }),
    data: { account: '42', symbol: 'ETH-USD', hash: digest, price: String(300_000 + i), quantity: '1.250000' },
  };
}

const figures = new Figures('events of about 400 bytes made in the same process, the log alone');
function figure(bench: string, value: number, unit: string, target: number, lowerIsBetter = false): void {
  figures.add(bench, value, { unit, target, lowerIsBetter });
}

async function appendInBatches(store: EventStore): Promise<void> {
  const batches = Array.from({ length: BATCHES }, (_, b) => Array.from({ length: BATCH }, (_, i) => smallEvent('orders', b * BATCH + i)));
  const stream = streamName('orders', '1');
  const started = performance.now();
  // Eight appends under way, as pipelined actors have; each is answered only when it is durable.
  const inFlight: Promise<unknown>[] = [];
  for (const [b, events] of batches.entries()) {
    inFlight.push(store.append({ stream, expected: b === 0 ? 'noStream' : b * BATCH - 1, events }));
    if (inFlight.length >= 8) await inFlight.shift();
  }
  await Promise.all(inFlight);
  figure('log.append-200', (BATCH * BATCHES) / seconds(started), 'events/s', 250_000);
}

async function appendFromManyCallers(store: EventStore): Promise<void> {
  const waits: number[] = [];
  const caller = async (id: number, events: EventToAppend[]): Promise<void> => {
    const stream = streamName('account', String(id));
    for (const [revision, event] of events.entries()) {
      const asked = performance.now();
      await store.append({ stream, expected: revision === 0 ? 'noStream' : revision - 1, events: [event] });
      waits.push(performance.now() - asked);
    }
  };
  const work = Array.from({ length: CALLERS }, (_, id) => Array.from({ length: COMMANDS / CALLERS }, (_, i) => smallEvent(`a${id}`, i, `${id}-${i}`)));
  const started = performance.now();
  await Promise.all(work.map((events, id) => caller(id, events)));
  figure('log.append-1-from-64', COMMANDS / seconds(started), 'commands/s', 40_000);
  waits.sort((a, b) => a - b);
  figure('log.append-1-from-64-p99', waits[Math.floor(waits.length * 0.99)]!, 'ms', 25, true);
}

async function replay(store: EventStore): Promise<void> {
  const started = performance.now();
  let count = 0;
  for (let after = START, atHead = false; !atHead; ) {
    const page = await store.readAll(after, { categories: ['orders'] }, 1_000);
    count += page.events.length;
    ({ next: after, atHead } = page);
  }
  figure('log.replay', count / seconds(started), 'events/s', 250_000);
}

async function follow(store: EventStore): Promise<void> {
  const end = new AbortController();
  const started = performance.now();
  let count = 0;
  for await (const delivery of store.subscribe(START, {}, end.signal)) {
    if (delivery.kind === 'event') count++;
    if (delivery.kind === 'caughtUp') end.abort();
  }
  figure('log.subscribe-catch-up', count / seconds(started), 'events/s', 250_000);
}

function seconds(started: number): number {
  return (performance.now() - started) / 1_000;
}

for (let run = 0; run < RUNS; run++) {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const store = await openSqliteEventStore({ directory });
  await appendInBatches(store);
  await replay(store);
  await appendFromManyCallers(store);
  await follow(store);
  await store.close();
  figure('log.bytes-per-event', statSync(join(directory, 'log.sqlite')).size / (BATCH * BATCHES + COMMANDS), 'bytes', 400, true);
  rmSync(directory, { recursive: true });
}
figures.print();
