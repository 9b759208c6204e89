import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Plannable, Tariff } from '../contracts/index.ts';
import { providerFolder } from '../key-pool.settings.ts';
import { planBlocks } from './block-plan.ts';

const config = join(import.meta.dirname, '../../../../../config/providers');

function shipped(provider: string, keys: number): Plannable {
  const value = providerFolder.schema.parse(parse(readFileSync(join(config, `${provider}.yaml`), 'utf8')));
  const { http: _, ws, networks: __, source: ___, pricePerMillion: ____, ...tariff } = value;
  return { tariff: { ...tariff, provider } satisfies Tariff, keys, pushes: ws !== undefined };
}

const MAINNET = { receipts: true, transactionsPerBlock: 150, blockTimeMs: 12_000 };
const BLOCKS_A_DAY = 7_200;

describe('the plan of a chain', () => {
  it('takes blocks from Infura and receipts from Alchemy for the 22 keys, far below what they have', () => {
    const { plans, refused, withoutReceipts } = planBlocks([shipped('infura', 17), shipped('alchemy', 5)], MAINNET);
    const [best] = plans;
    expect(best).toMatchObject({ name: 'Infura, receipts Alchemy', blocks: 'infura', receipts: 'alchemy', receiptsBy: 'block', heads: 'infura' });
    expect(best?.unitsPerBlock).toEqual({ infura: 130, alchemy: 20 });
    expect((best?.blocksPerDay ?? 0) / BLOCKS_A_DAY).toBeGreaterThan(30);
    expect(withoutReceipts).toBe(false);
    expect(refused).toContainEqual({ name: 'Infura', providers: ['infura'], why: 'one eth_getBlockReceipts costs 1000 credits at Infura, and second has 500' });
  });

  it.each([
    [2, 'Infura, receipts Alchemy'],
    [1, 'Alchemy'],
  ])('is the cheaper one of both for one key of Alchemy beside %i of Infura: %s', (count, name) => {
    expect(planBlocks([shipped('infura', count), shipped('alchemy', 1)], MAINNET).plans[0]).toMatchObject({ name, heads: 'infura' });
  });

  it('is all of Alchemy where there is only Alchemy: 40 units, and 72 for the head that is pushed', () => {
    const [best] = planBlocks([shipped('alchemy', 5)], MAINNET).plans;
    expect(best).toMatchObject({ name: 'Alchemy', heads: 'alchemy', unitsPerBlock: { alchemy: 112 } });
  });

  it('does without receipts where no key can pay for them, and says so', () => {
    const { plans, refused, withoutReceipts } = planBlocks([shipped('infura', 17)], MAINNET);
    expect(withoutReceipts).toBe(true);
    expect(plans.map(({ name }) => name)).toEqual(['Infura without receipts']);
    expect(refused).toContainEqual({ name: 'Infura by transaction', providers: ['infura'], why: 'its keys pay for 4204 blocks a day, and the chain makes 7200' });
  });

  it('asks for each receipt where blocks are small enough for that', () => {
    const [best] = planBlocks([shipped('infura', 17)], { ...MAINNET, transactionsPerBlock: 20 }).plans;
    expect(best).toMatchObject({ name: 'Infura by transaction', receiptsBy: 'transaction', unitsPerBlock: { infura: 1_730 } });
  });

  it('follows mainnet with the limits of 2024 as well', () => {
    const [best] = planBlocks([shipped('infura-2024', 17), shipped('alchemy-2024', 5)], MAINNET).plans;
    expect((best?.blocksPerDay ?? 0) / BLOCKS_A_DAY).toBeGreaterThan(50);
    expect(Object.values(best?.unitsPerBlock ?? {}).reduce((sum, units) => sum + units, 0)).toBe(3);
  });

  it('follows a chain of two seconds on the 22 keys, and one of a quarter of a second without receipts only, told so', () => {
    const keys = [shipped('infura', 17), shipped('alchemy', 5)];
    const [quick] = planBlocks(keys, { ...MAINNET, blockTimeMs: 2_000 }).plans;
    expect((quick?.blocksPerDay ?? 0) / 43_200).toBeGreaterThan(5);
    const { plans, refused, withoutReceipts } = planBlocks(keys, { ...MAINNET, transactionsPerBlock: 8, blockTimeMs: 250 });
    expect([plans[0]?.name, withoutReceipts]).toEqual(['Infura without receipts', true]);
    expect(refused).toContainEqual({ name: 'Infura, receipts Alchemy', providers: ['infura', 'alchemy'], why: 'its keys pay for 250000 blocks a day, and the chain makes 345600' });
  });

  it('costs nothing on a node of one\'s own', () => {
    const { plans } = planBlocks([shipped('node', 1), shipped('alchemy', 5)], MAINNET);
    expect(plans[0]).toMatchObject({ name: 'Node', blocksPerDay: expect.any(Number) });
  });

  it('leaves out providers whose keys are all gone', () => {
    const { plans, refused } = planBlocks([shipped('infura', 17), shipped('alchemy', 0)], { ...MAINNET, receipts: false });
    expect(plans.map(({ name }) => name)).toEqual(['Infura without receipts']);
    expect(refused).toContainEqual({ name: 'Alchemy', providers: ['alchemy'], why: 'none of its keys can be used' });
  });
});
