import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, temporaryDirectory } from './stage/chainfold-process.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';

/** `KILL_SEED=n` replays the moments of one run. */
const seed = Number(process.env['KILL_SEED'] ?? randomInt(1_000_000_000));
const KILLS = 12;

describe('kill -9 under load', () => {
  it(`${KILLS} times at random (KILL_SEED=${seed}): no gap, no duplicate, following again`, async () => {
    const random = new SeededRandom(seed);
    const dataDir = temporaryDirectory('killed');
    const node = await AnvilProcess.start();
    const env = { DATA_DIR: dataDir, RPC_URL: node.url, START_BLOCK: '0' };
    let loaded = true;
    const load = (async () => {
      while (loaded) {
        await node.mine(1, 15);
        await new Promise((resume) => setTimeout(resume, 50));
      }
    })();
    let product = await ChainfoldProcess.start(env);
    const backAfterMs: number[] = [];
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await new Promise((resume) => setTimeout(resume, random.between(0, 2_000)));
        await product.kill();
        const started = performance.now();
        product = await ChainfoldProcess.start(env);
        backAfterMs.push(Math.round(performance.now() - started));
      }
      loaded = false;
      await load;
      await followed(product, node);
      await expectGaplessStreams(product);
      await expectSameAsNode(product, node);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
      console.log(JSON.stringify({ note: 'listening again after kill -9', ms: backAfterMs }));
    } finally {
      loaded = false;
      await load;
      await product.kill();
      await node.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
