import { CaptureRig } from '../../../../../test/load/capture-rig.ts';
import { generateChain } from '../../../../../test/load/generated-chain.ts';
import type { RecordedBlock } from '../../../../../test/load/recorded-chain.ts';
import { RecordedChain } from '../../../../../test/load/recorded-chain.ts';
import { ReplayNode } from '../../../../../test/load/replay-node.ts';

const CHAIN = '424242';
let blocks: readonly RecordedBlock[];
const rigs: CaptureRig[] = [];
const stubs: ReplayNode[] = [];

beforeAll(async () => {
  blocks = (await generateChain({ seed: 11, blocks: 30, transactionsPerBlock: 2 })).blocks();
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((one) => one.stop()));
  await Promise.all(stubs.splice(0).map((one) => one.close()));
});

async function stub(head: number): Promise<ReplayNode> {
  const chain = new RecordedChain(BigInt(CHAIN), blocks);
  chain.head = head;
  const made = await ReplayNode.start(chain);
  stubs.push(made);
  return made;
}
function rig(): CaptureRig {
  const made = new CaptureRig();
  rigs.push(made);
  return made;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a provider that says nothing any more', () => {
  it.each(['http', 'ws'])('does not hold up the end of capturing, over %s', async (protocol) => {
    const node = await stub(10);
    const capture = rig();
    await capture.start([protocol === 'http' ? node.url : node.wsUrl], { blockTimeMs: 200, requestTimeoutMs: 8_000 });
    await capture.untilHead(CHAIN, 10);
    node.faults.add({ does: { kind: 'mute' } });
    await pause(1_000);
    const logged = capture.lines.length;
    const before = performance.now();
    await capture.stop();
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(capture.lines.slice(logged)).toEqual([]);
  });
});

describe('a first provider that is later than the one that announces', () => {
  it('keeps its place, and is no news for every block', async () => {
    const [late, quick] = [await stub(10), await stub(10)];
    const capture = rig();
    await capture.start([late.url, quick.wsUrl], { blockTimeMs: 60_000 });
    await capture.untilHead(CHAIN, 10);
    await capture.until('the second is proved', () => capture.board.get(CHAIN)?.providers[1], (second) => second?.healthy === true);
    await pause(500);
    const logged = capture.lines.length;
    for (let number = 11; number < 16; number += 1) {
      quick.advanceTo(number);
      await capture.untilHead(CHAIN, number);
      late.chain.head = number;
      await pause(50);
    }
    expect(capture.lines.slice(logged)).toEqual([]);
    expect(capture.board.get(CHAIN)?.providers[0]).toMatchObject({ healthy: true });
    expect(late.calls.get('eth_getBlockByHash')).toBeGreaterThanOrEqual(5);
  });
});
