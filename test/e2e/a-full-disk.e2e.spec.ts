import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';
import { describeWithSmallDisk, type SmallDisk } from './stage/small-disk.ts';

const NO_ROOM = 'There is no room left for the data';

describeWithSmallDisk('a full disk', 16, (mount) => {
  let disk: SmallDisk;
  let node: AnvilProcess;
  let product: ChainfoldProcess;
  let load: AbortController;
  let mining: Promise<void>;
  const env = () => ({ DATA_DIR: disk.directory, RPC_URL: node.url, START_BLOCK: '0' });

  beforeEach(async () => {
    disk = mount();
    node = await AnvilProcess.start();
    product = await ChainfoldProcess.start(env());
    await node.mine(5, 5);
    await followed(product, node);
    load = new AbortController();
    mining = (async () => {
      while (!load.signal.aborted) {
        await node.mine(1, 15);
        await new Promise((resume) => setTimeout(resume, 100));
      }
    })();
    disk.fill();
    await eventually(async () => expect((await ready()).reason).toContain(NO_ROOM));
  });
  afterEach(async () => {
    load.abort();
    await mining;
    await product.kill();
    await node.stop();
    disk.unmount();
  });

  /** Answers at once or not at all: a process that spins must fail here. */
  async function ready(): Promise<{ code: number; reason: string }> {
    const answer = await fetch(`${product.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    const { error } = (await answer.json()) as { error: { capture?: { reason: string } } };
    return { code: answer.status, reason: error.capture?.reason ?? '' };
  }

  it('is told by readiness while every route answers, and capture goes on by itself once there is room, with nothing lost or doubled', async () => {
    for (let look = 0; look < 20; look++) {
      expect(await ready()).toMatchObject({ code: 503, reason: expect.stringContaining(NO_ROOM) });
      expect(await product.api('/chains/31337')).toMatchObject({ status: 'stalled', reason: NO_ROOM });
      await new Promise((resume) => setTimeout(resume, 100));
    }
    disk.makeRoom();
    load.abort();
    await mining;
    await eventually(async () => expect(await ready()).toMatchObject({ code: 200 }), 90_000);
    await followed(product, node);
    await expectGaplessStreams(product);
    await expectSameAsNode(product, node);
    expect(await chainfold(['verify', '--json'], env())).toMatchObject({ code: 0 });
  });

  it('does not keep Ctrl-C from ending the process, and the next start goes on with all that was captured', async () => {
    const before = (await product.api('/chains/31337')).head.number;
    const asked = performance.now();
    const ended = await product.interrupt();
    expect({ code: ended.code, soon: performance.now() - asked < 10_000 }).toEqual({ code: 0, soon: true });
    disk.makeRoom();
    load.abort();
    await mining;
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    expect(await node.head()).toBeGreaterThan(before);
    await expectGaplessStreams(product);
    await expectSameAsNode(product, node);
  });
});
