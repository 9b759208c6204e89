import { LateItem, parseAnswer } from './chain-node-parsing.ts';

const result = (id: number): object => ({ number: `0x${id.toString(16)}`, filler: 'ab'.repeat(60_000) });
const items = [1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, result: result(id) }));

describe('a large batch', () => {
  it.each([
    ['as JSON.stringify writes it', JSON.stringify(items)],
    ['that ends in a line break, as of geth', `${JSON.stringify(items)}\n`],
    ['with the id behind the result', JSON.stringify(items.map(({ jsonrpc, id, result: one }) => ({ jsonrpc, result: one, id })))],
  ])('%s is left as bytes until a block of it is looked at', async (_how, text) => {
    const parsed = (await parseAnswer(Buffer.from(text))) as LateItem[];
    expect(parsed.map((item) => item instanceof LateItem)).toEqual([true, true, true]);
    expect(parsed.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(parsed.map(({ raw }) => JSON.parse(Buffer.from(raw).toString()) as unknown)).toEqual(items.map((item) => item.result));
    expect(parsed.map((item) => item.result)).toEqual(items.map((item) => item.result));
  });

  it('written in any other way is parsed at once', async () => {
    expect(await parseAnswer(Buffer.from(JSON.stringify(items, undefined, 1)))).toEqual(items);
  });
});
