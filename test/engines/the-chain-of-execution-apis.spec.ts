import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describeWithFixtures } from '#platform/testing';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from '../e2e/stage/chainfold-process.ts';
import { expectGaplessStreams } from '../e2e/stage/same-as-node.ts';
import type { Fields } from '../recorded/as-the-api-writes-it.ts';
import { expectEveryField } from '../recorded/every-field.ts';
import { recordedReceipts } from '../recorded/execution-apis-receipts.ts';
import { describeWithGeth } from './geth-binary.ts';
import { GethNode } from './geth-node.ts';

const CHAIN_ID = '3503995874084926';
const HEAD = 54;
const TRANSACTIONS = 249;
const LOGS = 383;
/** 320 MB, and ten times the 21.4 MB of block 2 for its moment. */
const MOST_MB = 535;

describeWithFixtures('the chain of execution-apis in a real geth', (fixtures) => {
  describeWithGeth('captured by the built program', () => {
    let geth: GethNode;
    beforeAll(async () => {
      geth = await GethNode.ofExecutionApis(fixtures);
    });
    afterAll(() => geth?.stop());

    it('has the receipts that the fast suites replay, byte by byte', async () => {
      const recorded = recordedReceipts();
      expect(recorded).toHaveLength(HEAD + 1);
      for (const [number, answer] of recorded.entries()) expect((await geth.blockReceiptsText(number)) === answer).toBe(true);
    });

    describe.each([
      ['http', () => geth.url],
      ['ws', () => geth.wsUrl],
    ])('over %s', (_protocol, url) => {
      let dataDir: string;
      let product: ChainfoldProcess;
      beforeAll(() => {
        dataDir = temporaryDirectory('geth');
      });
      const env = (): Record<string, string> => ({ DATA_DIR: dataDir, RPC_URL: url(), START_BLOCK: '0' });
      afterAll(async () => {
        await product?.kill();
        rmSync(dataDir, { recursive: true, force: true });
      });

      it('comes to the head, to safe and to finalized as geth tells them', async () => {
        product = await ChainfoldProcess.start(env());
        const tag = async (name: string): Promise<object> => {
          const { number, hash } = await geth.rpc<{ number: string; hash: string }>('eth_getBlockByNumber', [name, false]);
          return { number: Number(number), hash };
        };
        const expected = { head: await tag('latest'), safe: await tag('safe'), finalized: await tag('finalized') };
        await eventually(async () => expect(await product.api(`/chains/${CHAIN_ID}`)).toMatchObject({ ...expected, blocks: HEAD + 1, transactions: TRANSACTIONS, status: 'following' }), 60_000);
        expect(expected.finalized).toMatchObject({ number: HEAD });
      });

      it('needs no more memory for that than its bound, the block of 21 MB included', () => {
        const used = memoryOf(product, 'captured');
        if (used !== undefined) expect(used.most).toBeLessThan(MOST_MB);
      });

      it('tells every field of every block, transaction, receipt and log as geth does, and all roots verify', async () => {
        expect(await expectWhatGethHas(product, geth)).toBe(LOGS);
        expect(await product.all(`/chains/${CHAIN_ID}/blocks`)).toHaveLength(HEAD + 1);
        memoryOf(product, 'all of it served');
      });

      it('keeps a log without gap or double, whose every root the command line recomputes', async () => {
        await expectGaplessStreams(product);
        const { code, stdout } = await chainfold(['verify', '--json'], env());
        const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as Fields);
        expect(lines.at(-1)).toMatchObject({ kind: 'done', blocks: HEAD + 1, transactions: TRANSACTIONS, findings: 0 });
        expect(code).toBe(0);
        memoryOf(product, 'the whole log served and verified');
      });
    });

    describe('head first, then backwards', () => {
      let dataDir: string;
      let product: ChainfoldProcess;
      beforeAll(() => {
        dataDir = temporaryDirectory('geth');
      });
      const env = (): Record<string, string> => ({ DATA_DIR: dataDir, RPC_URL: geth.url });
      afterAll(async () => {
        await product?.kill();
        rmSync(dataDir, { recursive: true, force: true });
      });

      it('fills what lies before by a backfill, with the same fields and roots', async () => {
        product = await ChainfoldProcess.start(env());
        await eventually(async () => expect(await product.api(`/chains/${CHAIN_ID}`)).toMatchObject({ head: { number: HEAD }, finalized: { number: HEAD }, blocks: 1 }));
        const backfill = await chainfold(['backfill', '--from', '0', '--to', String(HEAD - 1), '--json'], env());
        expect(backfill).toMatchObject({ code: 0 });
        await eventually(async () => expect(await product.api(`/chains/${CHAIN_ID}`)).toMatchObject({ blocks: HEAD + 1, transactions: TRANSACTIONS }));
        expect(await expectWhatGethHas(product, geth)).toBe(LOGS);
        await expectGaplessStreams(product);
        expect(await chainfold(['verify', '--json'], env())).toMatchObject({ code: 0 });
        memoryOf(product, 'captured as a backfill and served');
      });
    });
  });

  describeWithGeth('captured by a program that is killed while it writes', () => {
    it('has every field in the end, nothing twice and no gap', async () => {
      const geth = await GethNode.ofExecutionApis(fixtures);
      const dataDir = temporaryDirectory('geth');
      const env = { DATA_DIR: dataDir, RPC_URL: geth.url, START_BLOCK: '0' };
      let product = ChainfoldProcess.launch(env);
      try {
        // Block 2 with its 21 MB is among the first; it takes some hundred milliseconds to be written.
        for (const afterMs of [200, 350, 500, 650, 800, 950]) {
          await eventually(async () => expect(product.stdout).toContain('"state":"starting"'));
          await new Promise((resume) => setTimeout(resume, afterMs));
          await product.kill();
          product = ChainfoldProcess.launch(env);
        }
        await product.kill();
        product = await ChainfoldProcess.start(env);
        await eventually(async () => expect(await product.api(`/chains/${CHAIN_ID}`)).toMatchObject({ blocks: HEAD + 1, transactions: TRANSACTIONS, finalized: { number: HEAD } }), 60_000);
        expect(await expectWhatGethHas(product, geth)).toBe(LOGS);
        await expectGaplessStreams(product);
        expect(await chainfold(['verify', '--json'], env)).toMatchObject({ code: 0 });
      } finally {
        await product.kill();
        rmSync(dataDir, { recursive: true, force: true });
        await geth.stop();
      }
    });
  });

  describeWithGeth('that no consensus client drives', () => {
    it('is captured without safe and finalized, and with them as soon as geth knows them', async () => {
      const { node, choose } = await GethNode.beforeForkchoice(fixtures);
      const dataDir = temporaryDirectory('geth');
      let product: ChainfoldProcess | undefined;
      try {
        await expect(node.rpc('eth_getBlockByNumber', ['safe', false])).rejects.toThrow('-32000 safe block not found');
        product = await ChainfoldProcess.start({ DATA_DIR: dataDir, RPC_URL: node.wsUrl, START_BLOCK: '0' });
        const chain = async (): Promise<Fields> => (product as ChainfoldProcess).api(`/chains/${CHAIN_ID}`);
        await eventually(async () => expect(await chain()).toMatchObject({ blocks: HEAD + 1, status: 'following', safe: null, finalized: null }));
        expect(await product.api(`/chains/${CHAIN_ID}/blocks/${HEAD}`)).toMatchObject({ finality: 'canonical' });
        await choose();
        // The tags are asked once in a minute.
        await eventually(async () => expect(await chain()).toMatchObject({ safe: { number: HEAD }, finalized: { number: HEAD } }), 90_000);
        expect(await product.api(`/chains/${CHAIN_ID}/blocks/${HEAD}`)).toMatchObject({ finality: 'finalized' });
      } finally {
        await product?.kill();
        rmSync(dataDir, { recursive: true, force: true });
        await node.stop();
      }
    });
  });
});

/** Field by field; returns how many logs there are. */
async function expectWhatGethHas(product: ChainfoldProcess, geth: GethNode): Promise<number> {
  const api = (path: string): Promise<unknown> => product.api(path);
  let logs = 0;
  for (let number = 0; number <= HEAD; number += 1) {
    const ref = `0x${number.toString(16)}`;
    const block = await geth.rpc<Fields>('eth_getBlockByNumber', [ref, true]);
    const receipts = await geth.rpc<Fields[]>('eth_getBlockReceipts', [ref]);
    logs += await expectEveryField({ api, chainId: CHAIN_ID, finality: () => 'finalized' }, { block, receipts });
  }
  return logs;
}

/** Megabytes resident, printed; undefined where the system does not tell. */
function memoryOf({ child }: ChainfoldProcess, when: string): { readonly now: number; readonly most: number } | undefined {
  const file = `/proc/${child.pid}/status`;
  if (!existsSync(file)) return undefined;
  const status = readFileSync(file, 'utf8');
  const megabytes = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024);
  const used = { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
  process.stdout.write(`resident memory, ${when}: ${used.now} MB now, ${used.most} MB at most\n`);
  return used;
}
