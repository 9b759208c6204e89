import type { Costs, Limit, Plannable } from '../contracts/index.ts';
import { planBlocks } from './block-plan.ts';
import { explainRole, type RoleOfKey } from './explain.ts';

const costs = (given: Partial<Costs>): Costs => ({ default: 1, methods: {}, batch: 0, push: { each: 0, perByte: 0 }, ...given });
const of = (provider: string, title: string, units: Costs, limits: readonly Limit[], keys: number): Plannable => ({
  tariff: { provider, title, unit: 'units', ledgers: { units }, limits, mostCallsPerRequest: 1, unsupported: [], slackMs: 0 },
  keys,
  pushes: true,
});
const second = (units: number): Limit => ({ kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units });
const dear = (keys: number): Plannable => of('dear', 'Dear', costs({ default: 80, methods: { eth_getBlockReceipts: 1_000 } }), [second(500)], keys);
const cheap = (keys: number): Plannable => of('cheap', 'Cheap', costs({ default: 20, push: { each: 50, perByte: 0 } }), [second(300)], keys);
/** Its name begins as the other's does. */
const free = (keys: number): Plannable => of('free', 'Dear and free', costs({}), [], keys);
const NEED = { receipts: true, transactionsPerBlock: 150, blockTimeMs: 250 };

function explained(provider: string, ...providers: readonly Plannable[]): RoleOfKey {
  return explainRole(provider, { chainId: '1', providers, planning: planBlocks(providers, NEED) });
}

describe('why a key is used, or not', () => {
  it('is told of the keys of both providers that a plan takes, and who witnesses whom', () => {
    const both = [dear(17), cheap(5)];
    expect(explained('dear', ...both)).toMatchObject({ role: ['blocks', 'heads'], chosen: true, because: expect.stringMatching(/^"Dear, receipts Cheap" is the cheapest plan: a block takes 80 units of 17 keys here, and all keys together pay for \d+ blocks a day\. The two providers witness each other/) });
    expect(explained('cheap', ...both)).toMatchObject({ role: ['receipts', 'witness'], chosen: true, because: expect.stringContaining('a block takes 20 units of 5 keys here') });
  });

  it('is told of keys that stand by, with both prices', () => {
    expect(explained('cheap', free(1), cheap(5))).toMatchObject({ role: ['spare', 'witness'], chosen: false, because: expect.stringMatching(/^"[^"]*Cheap" takes 1\/\d+ of a day for each block, "Dear and free" nothing; it is used when that one can not be\.$/) });
  });

  it('is told of keys that nothing can be done with, by reasons of their own', () => {
    expect(explained('free', free(0), cheap(5))).toEqual({ chainId: '1', role: [], chosen: false, because: 'Dear and free: none of its keys can be used.' });
    expect(explained('dear', free(0), dear(0), cheap(5)).because).toBe('Dear: none of its keys can be used.');
    expect(explained('dear', dear(0))).toMatchObject({ chosen: false, because: 'No plan is possible. Dear: none of its keys can be used.' });
    expect(explained('other', cheap(5))).toMatchObject({ chosen: false, because: 'This chain is not captured through its provider.' });
  });

  it('says why there are no receipts where nobody can pay for them', () => {
    const { role, chosen, because } = explained('dear', dear(1));
    expect([role, chosen]).toEqual([['blocks', 'heads'], true]);
    expect(because).toContain('Nobody can pay for receipts. Dear: one eth_getBlockReceipts costs 1000 units at Dear, and second has 500. Dear by transaction: its keys pay for');
  });
});
