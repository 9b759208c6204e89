import { ManualClock, describeProjectionLaws, projected, type EventSketch, type Projected } from '#platform/testing';
import { SqliteKeyUsage } from '../adapters/sqlite.key-usage.ts';
import { keyUsage } from './key-usage.projection.ts';

const NOON = Date.parse('2026-11-26T12:00:00.000Z');
const HOUR_MS = 3_600_000;

function settled(alias: string, at: number, units: number, { errors = {}, requests = 1, method = 'eth_getBlockByNumber' } = {}): EventSketch {
  const by = requests === 0 ? [] : [{ chainId: '1', method, calls: requests, units }];
  return { stream: `apikey-${alias}`, type: 'BudgetSettled', data: { lease: `${alias}.1`, sequence: 1, at, acknowledged: { units }, unacknowledged: {}, requests, errors, by, over: false } };
}

function manyOf(seed: number): readonly EventSketch[] {
  return Array.from({ length: 400 }, (_, at) => {
    const alias = `key-${(at * 7 + seed) % 5}`;
    if (at % 50 === 49) return { stream: `apikey-${alias}`, type: 'KeyThrottled', data: { at: NOON + at, until: NOON + at + 1_000, message: 'slow down' } };
    return settled(alias, NOON + at * 500_000, 80 + (at % 3), { errors: at % 9 === 0 ? { throttled: 1 } : {}, requests: at % 4 });
  });
}

describeProjectionLaws(keyUsage, manyOf);

describe('the use of a key', () => {
  const open: Projected[] = [];
  const usage = async (events: readonly EventSketch[], now = NOON): Promise<SqliteKeyUsage> => {
    const read = await projected(keyUsage, events);
    open.push(read);
    return new SqliteKeyUsage(read.store, new ManualClock(now));
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((read) => read.close()));
  });

  it('is told for 1, 2, 12, 24 and 48 hours', async () => {
    const ages = [0.5, 1.5, 11, 23, 47, 49.5];
    const { windows } = (await usage(ages.map((hours) => settled('a', NOON - hours * HOUR_MS, 80, { errors: { throttled: 1 } })).reverse())).of('a');
    expect(Object.values(windows).map(({ requests }) => requests)).toEqual([1, 2, 3, 4, 5]);
    expect(windows[48]).toEqual({ requests: 5, errors: 5, units: 400 });
  });

  it('says what units went to, by day, chain and method', async () => {
    const day = 24 * HOUR_MS;
    const read = await usage([settled('a', NOON - day, 80), settled('a', NOON, 80), settled('b', NOON, 20, { method: 'eth_getBlockReceipts' }), settled('a', NOON, 80)]);
    expect(read.spent(1)).toEqual([
      { day: '2026-11-26', alias: 'a', chainId: '1', method: 'eth_getBlockByNumber', calls: 2, units: 160 },
      { day: '2026-11-26', alias: 'b', chainId: '1', method: 'eth_getBlockReceipts', calls: 1, units: 20 },
    ]);
    expect(read.spent(2)).toHaveLength(3);
  });

  it('says how requests failed, by day and class', async () => {
    const day = 24 * HOUR_MS;
    const read = await usage([settled('a', NOON - day, 80, { errors: { down: 1 } }), settled('a', NOON, 80, { errors: { throttled: 2, unanswered: 1 } }), settled('a', NOON, 80, { errors: { throttled: 1 } })]);
    expect(read.refused(1)).toEqual([
      { day: '2026-11-26', alias: 'a', class: 'throttled', count: 3 },
      { day: '2026-11-26', alias: 'a', class: 'unanswered', count: 1 },
    ]);
    expect(read.refused(2)).toHaveLength(3);
  });

  it('remembers the last refusal and the last request', async () => {
    const use = (await usage([settled('a', NOON - 5, 80), { stream: 'apikey-a', type: 'KeyExhausted', data: { at: NOON, until: NOON + 1, message: 'daily limit' } }, settled('a', NOON + 5, 0, { requests: 0 })])).of('a');
    expect(use).toMatchObject({ lastRequestAt: NOON - 5, lastRefusal: { at: NOON, state: 'exhausted', reason: 'daily limit' } });
    expect((await usage([])).of('a')).toMatchObject({ lastRequestAt: undefined, lastRefusal: undefined });
  });
});
