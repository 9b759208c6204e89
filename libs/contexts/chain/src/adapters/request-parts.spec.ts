import type { Tariff } from '#contracts/key-pool';
import { testTariff } from '../../../../../test/keys/tariffs.ts';
import { inParts } from './request-parts.ts';

const RATE = { kind: 'rolling', name: 'rate', ledger: 'units', windowMs: 10_000, units: 5_000 } as const;
const blocksWithReceipts = (count: number) => Array.from({ length: count }, (_, at) => ['eth_getBlockByNumber', 'eth_getBlockReceipts'].map((method) => ({ method, params: [at] }))).flat();

function tariff(more: Partial<Tariff> = {}): Tariff {
  const methods = { eth_getBlockByNumber: 20, eth_getBlockReceipts: 500 };
  const usual = testTariff('metered', { limits: [RATE] });
  return { ...usual, ledgers: { units: { default: 20, methods, batch: 0, push: { each: 0, perByte: 0 } } }, ...more };
}

describe('calls go out', () => {
  it('together where nothing minds', () => {
    expect(inParts(blocksWithReceipts(3), tariff({ limits: [] }))).toEqual([[0, 1, 2, 3, 4, 5]]);
  });

  it('each alone where a batch costs', () => {
    expect(inParts(blocksWithReceipts(1), testTariff('metered', { batch: 1 }))).toEqual([[0], [1]]);
  });

  it('with cheap ones in one request where dear ones need one each', () => {
    expect(inParts(blocksWithReceipts(3), tariff())).toEqual([[0, 2, 4], [1], [3], [5]]);
  });

  it('no more at once than a limit and the provider take', () => {
    const parts = inParts(blocksWithReceipts(60), tariff());
    expect(parts.filter((part) => part.length > 1).map((part) => part.length)).toEqual([25, 25, 10]);
    expect(inParts(blocksWithReceipts(2), tariff({ limits: [], mostCallsPerRequest: 3 })).map((part) => part.length)).toEqual([3, 1]);
    expect(parts.flat().sort((one, other) => one - other)).toEqual(blocksWithReceipts(60).map((_, at) => at));
  });
});
