import type { AnvilProcess } from './anvil-process.ts';
import { type ChainfoldProcess, eventually } from './chainfold-process.ts';

/** Any real node of a test. */
type Node = Pick<AnvilProcess, 'rpc' | 'head'>;

/** Waits until the chain's head is the node's, by hash. */
export async function followed(product: ChainfoldProcess, node: Node, chainId = '31337'): Promise<void> {
  await eventually(async () => {
    const theirs = await node.rpc('eth_getBlockByNumber', ['latest', false]);
    const ours = await product.api(`/chains/${chainId}`);
    expect(ours.head).toMatchObject({ hash: theirs.hash });
  });
}

/** The canonical view holds what the node holds, block by block and transaction by transaction, and nothing else. */
export async function expectSameAsNode(product: ChainfoldProcess, node: Node, from = 0, chainId = '31337'): Promise<void> {
  const blocks = await product.all(`/chains/${chainId}/blocks?order=asc`);
  const head = await node.head();
  expect(blocks.map((block) => block.number)).toEqual(Array.from({ length: head - from + 1 }, (_, index) => from + index));
  for (const block of blocks) {
    const theirs = await node.rpc('eth_getBlockByNumber', [`0x${block.number.toString(16)}`, false]);
    expect({ number: block.number, hash: block.hash, parentHash: block.parentHash }).toEqual({
      number: Number(theirs.number),
      hash: theirs.hash,
      parentHash: theirs.parentHash,
    });
    if (theirs.transactions.length === 0) continue;
    const ours = await product.all(`/chains/${chainId}/blocks/${block.hash}/transactions`);
    expect(ours.map((transaction) => transaction.hash)).toEqual(theirs.transactions);
  }
}

/** Positions of the whole log, to see that nothing is doubled and nothing is lost. */
export async function expectGaplessStreams(product: ChainfoldProcess): Promise<void> {
  const next = new Map<string, number>();
  const ids = new Set<string>();
  for (const event of await product.all('/events')) {
    expect({ stream: event.stream, revision: event.revision }).toEqual({ stream: event.stream, revision: next.get(event.stream) ?? 0 });
    next.set(event.stream, event.revision + 1);
    expect(ids.has(event.id)).toBe(false);
    ids.add(event.id);
  }
}
