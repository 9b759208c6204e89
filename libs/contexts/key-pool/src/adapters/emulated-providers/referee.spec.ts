import { ManualClock } from '#platform/testing';
import type { Costs, Tariff } from '../../contracts/index.ts';
import { costOf, costOfPush } from '../../contracts/index.ts';
import { Referee } from './referee.ts';

const costs = (methods: Record<string, number>, rest: Partial<Costs> = {}): Costs => ({ default: 80, methods, batch: 0, push: { each: 0, perByte: 0 }, ...rest });
const tariff = (changes: Partial<Tariff> & Pick<Tariff, 'provider' | 'ledgers' | 'limits'>): Tariff => ({ title: 'A provider', unit: 'units', mostCallsPerRequest: 100, unsupported: [], slackMs: 50, ...changes });

const INFURA = tariff({
  provider: 'infura',
  ledgers: { units: costs({ eth_chainId: 5, eth_getLogs: 255 }, { batch: 80, push: { each: 50, perByte: 0 } }) },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 1_000 },
  ],
});
const ALCHEMY = tariff({
  provider: 'alchemy',
  ledgers: { units: costs({ eth_chainId: 0, eth_getBlockReceipts: 20, eth_call: 26 }, { push: { each: 0, perByte: 0.04 } }), throughput: costs({ eth_getBlockReceipts: 500 }) },
  limits: [
    { kind: 'rolling', name: 'ten-seconds', ledger: 'throughput', windowMs: 10_000, units: 1_000 },
    { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 2_000 },
  ],
});
const PLANNED = tariff({
  provider: 'infura-2024',
  ledgers: { units: { ...costs({}), default: 1 } },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 10 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 25 },
  ],
});
const ACCOUNTS = [
  { provider: 'infura', alias: 'infura-1' },
  { provider: 'infura', alias: 'infura-2' },
  { provider: 'alchemy', alias: 'alchemy-1' },
  { provider: 'infura-2024', alias: 'planned-1' },
];

function refereeOf(seed = 1, clock = new ManualClock('2026-03-10T12:00:00Z')): { referee: Referee; clock: ManualClock } {
  const referee = new Referee({ tariffs: [INFURA, ALCHEMY, PLANNED], accounts: ACCOUNTS, seed, clock, modelOf: (provider) => (provider === 'alchemy' ? 'rolling' : 'tumbling') });
  return { referee, clock };
}

const of = (referee: Referee, alias: string) => referee.report().accounts.find((account) => account.alias === alias);
const limitOf = (referee: Referee, alias: string, name: string) => of(referee, alias)?.limits.find((limit) => limit.name === name);
const BLOCK = 'eth_getBlockByNumber';

describe('the referee', () => {
  it('charges what the price list says: calls, the batch itself, a ledger of its own, notifications by byte', () => {
    const { referee } = refereeOf();
    referee.request('infura-1', [BLOCK, 'eth_chainId'], false);
    referee.request('alchemy-1', ['eth_getBlockReceipts'], false);
    referee.push('infura-1', 900);
    referee.push('alchemy-1', 1_001);
    expect(of(referee, 'infura-1')).toMatchObject({ requests: 1, charged: 1, pushes: 1, calls: { [BLOCK]: 1, eth_chainId: 1 }, units: { units: 80 + 5 + 80 + 50 } });
    expect(of(referee, 'alchemy-1')).toMatchObject({ units: { units: 20 + 41, throughput: 500 } });
  });

  it('meters at the moment that is told, and never goes back', () => {
    const { referee, clock } = refereeOf();
    const at = clock.monotonic();
    for (let call = 0; call < 2; call += 1) referee.request('alchemy-1', ['eth_getBlockReceipts'], false, at + 30);
    referee.request('alchemy-1', ['eth_chainId'], false, at + 10);
    expect(of(referee, 'alchemy-1')).toMatchObject({ firstAt: at + 30, lastAt: at + 30 });
    expect(referee.request('alchemy-1', ['eth_getBlockReceipts'], false, at + 10_029)).toEqual([expect.objectContaining({ reason: 'rate' })]);
    expect(referee.request('alchemy-1', ['eth_getBlockReceipts'], false, at + 10_030)).toEqual([undefined]);
  });

  it('comes to the same sums as the product does', () => {
    for (const one of [INFURA, ALCHEMY]) {
      for (const methods of [[BLOCK], ['eth_getLogs', 'eth_call'], ['eth_getBlockReceipts', 'eth_chainId', BLOCK]]) {
        const { referee } = refereeOf();
        const alias = `${one.provider}-1`;
        referee.request(alias, methods, false);
        referee.push(alias, 777);
        const [asked, pushed] = [costOf(one, methods), costOfPush(one, 777)];
        for (const [ledger, units] of Object.entries(of(referee, alias)?.units ?? {})) expect([one.provider, methods, ledger, units]).toEqual([one.provider, methods, ledger, (asked[ledger] ?? 0) + (pushed[ledger] ?? 0)]);
      }
    }
  });

  it('refuses what exceeds the rate, charges nothing for it, and keeps it apart by account', () => {
    const { referee } = refereeOf();
    for (let count = 0; count < 6; count += 1) referee.request('infura-1', [BLOCK], false);
    const [over] = referee.request('infura-1', [BLOCK, BLOCK], false);
    expect(over).toMatchObject({ reason: 'rate', limit: 'second' });
    expect(referee.request('infura-2', [BLOCK], false)).toEqual([undefined]);
    expect(of(referee, 'infura-1')).toMatchObject({ requests: 7, charged: 6, refused: { rate: 2 }, units: { units: 480 } });
    expect(referee.report()).toMatchObject({ overruns: 2, refusals: [{ alias: 'infura-1', reason: 'rate', because: 'second', methods: [BLOCK, BLOCK] }] });
    expect(limitOf(referee, 'infura-1', 'second')).toMatchObject({ units: 500, peak: 480, peakAnywhere: 480 });
  });

  it('sees the burst around a border of tumbling windows, which one of them does not', async () => {
    const { referee, clock } = refereeOf();
    const phaseMs = limitOf(referee, 'infura-1', 'second')?.phaseMs ?? 0;
    await clock.advance(1_999 - phaseMs);
    for (let count = 0; count < 6; count += 1) referee.request('infura-1', [BLOCK], false);
    await clock.advance(1);
    for (let count = 0; count < 6; count += 1) referee.request('infura-1', [BLOCK], false);
    expect(referee.report().overruns).toBe(0);
    expect(limitOf(referee, 'infura-1', 'second')).toMatchObject({ peak: 480, peakAnywhere: 960 });
  });

  it('lets phases differ by account and seed, skews by provider and seed, the same for the same seed', () => {
    const told = (seed: number) => {
      const { referee } = refereeOf(seed);
      return { phases: ['infura-1', 'infura-2'].map((alias) => limitOf(referee, alias, 'second')?.phaseMs), skews: referee.report().providers.map(({ skewMs }) => skewMs) };
    };
    expect(told(1)).toEqual(told(1));
    const many = Array.from({ length: 200 }, (_, seed) => told(seed));
    expect(new Set(many.flatMap(({ phases }) => phases)).size).toBeGreaterThan(150);
    expect(many.filter(({ phases: [one, other] }) => one === other).length).toBeLessThan(5);
    for (const { skews } of many) for (const skew of skews) expect(Math.abs(skew)).toBeLessThanOrEqual(2_000);
    expect(Math.min(...many.flatMap(({ skews }) => skews))).toBeLessThan(-1_500);
    expect(Math.max(...many.flatMap(({ skews }) => skews))).toBeGreaterThan(1_500);
  });

  it.each([1, 2, 3, 4])('starts the day anew at midnight of the clock of the provider (seed %d)', async (seed) => {
    const { referee, clock } = refereeOf(seed);
    const skew = referee.report().providers.find(({ provider }) => provider === 'infura-2024')?.skewMs ?? 0;
    const spend = async (times: number): Promise<(string | undefined)[]> => {
      const reasons = [];
      for (let count = 0; count < times; count += 1) {
        await clock.advance(200);
        reasons.push(referee.request('planned-1', [BLOCK], false)[0]?.reason);
      }
      return reasons;
    };
    expect(await spend(25)).toEqual(Array.from({ length: 25 }, () => undefined));
    expect(await spend(1)).toEqual(['quota']);
    await clock.advance(Date.parse('2026-03-11T00:00:00Z') - skew - 1 - clock.now());
    expect(referee.request('planned-1', [BLOCK], false)[0]).toMatchObject({ reason: 'quota', limit: 'day' });
    await clock.advance(1);
    expect(referee.request('planned-1', [BLOCK], false)).toEqual([undefined]);
    expect(limitOf(referee, 'planned-1', 'day')).toMatchObject({ peak: 25, periods: { '2026-03-10': 25, '2026-03-11': 1 } });
  });

  it('meters the month on one ledger and ten rolling seconds on the other', async () => {
    const { referee, clock } = refereeOf();
    const receipts = () => referee.request('alchemy-1', ['eth_getBlockReceipts'], false)[0];
    expect([receipts(), receipts(), receipts()?.limit]).toEqual([undefined, undefined, 'ten-seconds']);
    await clock.advance(9_999);
    expect(receipts()).toMatchObject({ limit: 'ten-seconds', waitMs: 1 });
    await clock.advance(1);
    expect(receipts()).toBeUndefined();
    for (let count = 0; count < 48; count += 1) expect(referee.push('alchemy-1', 1_000)).toBeUndefined();
    expect(referee.push('alchemy-1', 1_000)).toMatchObject({ reason: 'quota' });
    expect(of(referee, 'alchemy-1')?.units).toEqual({ units: 60 + 48 * 40, throughput: 1_500 });
    await clock.advance(10_000);
    expect([receipts(), receipts()?.limit]).toEqual([undefined, 'month']);
    await clock.advance(22 * 86_400_000);
    expect(receipts()).toBeUndefined();
    expect(limitOf(referee, 'alchemy-1', 'month')?.periods).toEqual({ '2026-03': 2_000, '2026-04': 20 });
  });

  it('judges the calls of a batch one by one where it is asked to', () => {
    const { referee } = refereeOf();
    const verdicts = referee.request('alchemy-1', ['eth_getBlockReceipts', 'eth_getBlockReceipts', 'eth_getBlockReceipts', 'eth_chainId'], true);
    expect(verdicts.map((over) => over?.reason)).toEqual([undefined, undefined, 'rate', undefined]);
    expect(of(referee, 'alchemy-1')).toMatchObject({ requests: 1, charged: 1, refused: { rate: 1 }, calls: { eth_getBlockReceipts: 2, eth_chainId: 1 } });
  });

  it('charges a batch once for itself, with the first of its calls that passes', () => {
    const { referee } = refereeOf();
    const [getLogs, chainId] = ['eth_getLogs', 'eth_chainId'];
    const verdicts = referee.request('infura-1', [getLogs, getLogs, chainId, chainId], true);
    expect(verdicts.map((over) => over?.reason)).toEqual([undefined, 'rate', undefined, undefined]);
    expect(of(referee, 'infura-1')?.units).toEqual({ units: 255 + 80 + 5 + 5 });
  });

  it('lets a notification go whatever the rate, and counts it in the window', () => {
    const { referee } = refereeOf();
    for (let count = 0; count < 6; count += 1) referee.request('infura-1', [BLOCK], false);
    expect(referee.push('infura-1', 10)).toBeUndefined();
    expect(referee.request('infura-1', ['eth_chainId'], false)[0]?.reason).toBe('rate');
    expect(limitOf(referee, 'infura-1', 'second')?.peak).toBe(530);
  });
});
