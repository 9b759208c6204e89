import type { RecordedEvent } from '#platform/kernel';
import { BatchSize } from './batch-size.ts';
import { DEFAULT_PROJECTION_SETTINGS } from './projection-status.ts';

const settings = { ...DEFAULT_PROJECTION_SETTINGS, maxBatchEvents: 1_000, maxBatchBytes: 1_000_000, catchUpBatchMs: 100, sharedBatchMs: 5 };

/** `count` events whose data are about `bytes` of JSON each. */
const eventsOf = (count: number, bytes = 10): RecordedEvent[] =>
  Array.from({ length: count }, () => ({ data: { filler: 'f'.repeat(Math.max(0, bytes - 13)) } }) as unknown as RecordedEvent);

describe('how many events are taken at once', () => {
  let size: BatchSize;
  const learn = (tookMs: number, { bytes = 10, shared = false, taken = size.events } = {}): void => size.learn(eventsOf(taken, bytes), tookMs, shared);

  beforeEach(() => {
    size = new BatchSize(settings);
  });

  it('grows while batches stay short, up to the limit', () => {
    const seen = [size.events];
    for (let round = 0; round < 6; round += 1) {
      learn(1);
      seen.push(size.events);
    }
    expect(seen).toEqual([64, 128, 256, 512, 1_000, 1_000, 1_000]);
  });

  it('shrinks while batches take long, but never to nothing', () => {
    for (let round = 0; round < 10; round += 1) learn(10_000);
    expect(size.events).toBe(16);
  });

  it('settles where a batch takes as long as it may', () => {
    for (let round = 0; round < 20; round += 1) learn(size.events / 4);
    expect(size.events).toBe(400);
  });

  it('is small while somebody else in the thread waits at the head', () => {
    for (let round = 0; round < 20; round += 1) learn(size.events / 4, { shared: true });
    expect(size.events).toBe(20);
  });

  it('does not grow because there was little to take', () => {
    learn(0.1, { taken: 3 });
    expect(size.events).toBe(64);
  });

  it('never takes more than the bytes that may be in flight, judged by the largest of a few', () => {
    const [small, large] = [eventsOf(60, 100), eventsOf(4, 100_000)];
    size.learn([...small, ...large], 1, false);
    expect(size.events).toBe(10);
  });

  it('takes one event however large it is', () => {
    learn(1, { bytes: 5_000_000, taken: 2 });
    expect(size.events).toBe(1);
  });

  it('takes many again once the events are small again', () => {
    learn(1, { bytes: 5_000_000, taken: 2 });
    learn(1, { bytes: 10, taken: 1 });
    expect(size.events).toBeGreaterThanOrEqual(64);
  });

  it('remembers what it knew of bytes over an empty page', () => {
    learn(1, { bytes: 100_000, taken: 4 });
    size.learn([], 0, false);
    expect(size.events).toBe(10);
  });
});
