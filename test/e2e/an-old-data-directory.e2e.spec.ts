import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { generateBranch } from '../load/generated-chain.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { OLD_HEAD, OLD_START, oldChain, unpackDataDirectory } from '../recorded/old-data-directory.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';

const CHAIN = '424242';
/** What the first release had written by its end. */
const OLD_EVENTS = 43;

describe('the data directory of the first release', () => {
  let directory: string;
  beforeEach(() => {
    directory = temporaryDirectory('old');
    unpackDataDirectory(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('opens, is served and verified, and capture goes on in it', async () => {
    const env = { DATA_DIR: directory };
    const before = (await chainfold(['events', '--limit', '1000', '--json'], env)).stdout.trim().split('\n');
    expect(before).toHaveLength(OLD_EVENTS);
    expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0, stderr: '' });

    const { chain, branch } = await oldChain();
    chain.switchTo(branch);
    const more = await generateBranch({ seed: 23, transactionsPerBlock: 2 }, branch.at(-1)!, 4);
    const node = await ReplayNode.start(chain);
    const product = await ChainfoldProcess.start({ ...env, RPC_URL: node.url, START_BLOCK: String(OLD_START) });
    try {
      node.switchTo(more);
      await eventually(async () => expect((await product.api(`/chains/${CHAIN}`)).head).toMatchObject({ number: OLD_HEAD + 4, hash: more.at(-1)?.hash }));
      const shown = await product.all(`/chains/${CHAIN}/blocks?order=asc`);
      expect(shown.map(({ number, hash }) => [number, hash])).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((number) => [number, chain.at(number)?.hash]));
      expect((await product.all(`/chains/${CHAIN}/reorgs`)).map(({ depth }) => depth)).toEqual([2]);
      const now = await product.all('/events');
      expect(now.slice(0, OLD_EVENTS)).toEqual(before.map((line) => JSON.parse(line)));
      expect(now.length).toBeGreaterThan(OLD_EVENTS);
      expect((await product.all('/projections')).map(({ state, lagEvents }) => [state, lagEvents])).toEqual([['live', 0], ['live', 0]]);
      expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
      expect((await product.interrupt()).code).toBe(0);
    } finally {
      await product.kill();
      await node.close();
    }
  });

  it('is refused in a sentence once a newer release may have written events into it that this one does not know', async () => {
    const db = new DatabaseSync(join(directory, 'log.sqlite'));
    db.prepare("INSERT OR REPLACE INTO meta VALUES ('events', ?)").run(JSON.stringify({ chain: { BlockObserved: 2 } }));
    db.close();
    const env = { DATA_DIR: directory, RPC_URL: 'http://127.0.0.1:9' };
    const refusal = { code: 74, stderr: expect.stringMatching(/^The data was written by a newer version\n.*event: BlockObserved in chain\n {2}found: 2\n {2}known: 1\n/s) };
    expect(await ChainfoldProcess.launch(env).ended).toMatchObject(refusal);
    expect(await chainfold(['verify'], env)).toMatchObject(refusal);
  });

  it.each(['log.sqlite', 'read.db'])('is refused in a sentence when its %s is of a newer release, by the program and by the command line, and is not touched', async (name) => {
    const file = join(directory, name);
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    const env = { DATA_DIR: directory, RPC_URL: 'http://127.0.0.1:9' };
    const refusal = { code: 74, stderr: expect.stringMatching(new RegExp(`^The .* written by a newer (version|release)\\n.*${name}.*found: 99.*the newer (version|release) again`, 's')) };
    expect(await ChainfoldProcess.launch(env).ended).toMatchObject(refusal);
    expect(await chainfold(['verify'], env)).toMatchObject(refusal);
    if (name === 'log.sqlite') expect(await chainfold(['backup', join(directory, '..', 'never')], env)).toMatchObject(refusal);
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 99 });
    db.close();
  });
});
