import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';

/** `STAND_STILL_MS=30000` for half a minute; beyond the time-out of a request (10 s) it is the same. */
const STILL_MS = Number(process.env['STAND_STILL_MS'] ?? 3_000);

describe('an owner of the data directory that was stopped by SIGSTOP', () => {
  const dataDir = temporaryDirectory('stands-still');
  let node: AnvilProcess;
  let owner: ChainfoldProcess;
  const env = () => ({ DATA_DIR: dataDir, RPC_URL: node.url, START_BLOCK: '0' });
  const expectRefused = async (): Promise<void> => {
    const { code, stderr } = await ChainfoldProcess.launch(env()).ended;
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringMatching(new RegExp(`pid: ${owner.child.pid}[^]*DATA_DIR`)) });
  };

  beforeAll(async () => {
    node = await AnvilProcess.start();
    await node.mine(5, 3);
    owner = await ChainfoldProcess.start(env());
    await followed(owner, node);
  });
  afterAll(async () => {
    await owner.kill();
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('still owns it, and goes on by itself with what it missed', async () => {
    owner.child.kill('SIGSTOP');
    await node.mine(4, 3);
    await expectRefused();
    await node.rpc('anvil_reorg', [2, []]);
    await new Promise((resume) => setTimeout(resume, STILL_MS));
    await node.mine(2, 3);
    await expectRefused();
    owner.child.kill('SIGCONT');
    await followed(owner, node);
    await eventually(async () => expect((await fetch(`${owner.url}/health/ready`)).status).toBe(200));
    await expectGaplessStreams(owner);
    await expectSameAsNode(owner, node);
  });

  it('makes way at once when it is killed, and the next one has everything', async () => {
    await node.mine(1, 3);
    owner.child.kill('SIGSTOP');
    await owner.kill();
    owner = await ChainfoldProcess.start(env());
    await followed(owner, node);
    await expectGaplessStreams(owner);
    await expectSameAsNode(owner, node);
    expect(await chainfold(['verify', '--json'], env())).toMatchObject({ code: 0 });
  });
});
