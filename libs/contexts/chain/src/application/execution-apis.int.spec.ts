import { describeWithFixtures } from '#platform/testing';
import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { executionApisChain } from '../../../../../test/load/execution-apis-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';

describeWithFixtures('the chain of execution-apis, 54 blocks over every fork', (dir) => {
  const made = executionApisChain(dir);

  it('is served as its own node answered, where that was recorded', () => {
    expect(made.recordedBlocks.size).toBeGreaterThanOrEqual(8);
    for (const [number, recorded] of made.recordedBlocks) {
      const served = JSON.parse(made.chain.at(number)!.block.toString()) as { transactions: { hash: string }[] };
      const hashesOnly = (recorded['transactions'] as unknown[]).some((one) => typeof one === 'string');
      expect(hashesOnly ? { ...served, transactions: served.transactions.map(({ hash }) => hash) } : served).toEqual(recorded);
    }
  });

  it('is captured whole and verified: every header, every transaction of types 0 to 4, every withdrawal', async () => {
    const node = await ReplayNode.start(made.chain);
    const capture = new CaptureRig();
    await capture.start([node.url], { receipts: false });
    const view = await capture.untilHead('3503995874084926', 54);
    expect(view.head?.hash).toBe('0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7');
    const observed = await capture.events('BlockObserved');
    expect(observed).toHaveLength(55);
    for (const { data } of observed) expect(data['verification']).toMatchObject({ header: 'verified', transactions: 'verified' });
    const stored = await capture.events('TxFetched');
    expect(stored).toHaveLength(249);
    for (const { data } of stored) {
      const block = JSON.parse(made.chain.at(data['blockNumber'] as number)!.block.toString()) as { transactions: unknown[] };
      expect(data['transaction']).toEqual(block.transactions[data['index'] as number]);
    }
    await capture.stop();
    await node.close();
  });
});
