import { rmSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { AnvilProcess, freePort } from './stage/anvil-process.ts';
import { describeWithBrowser, launchBrowser, WatchedPage } from './stage/browser.ts';
import { ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { followed } from './stage/same-as-node.ts';
import { TalkativeNode } from './stage/talkative-node.ts';

const HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
const SIZES = [['narrow', 360], ['wide', 1280]] as const;

describeWithBrowser('the page in a browser', () => {
  let dataDir = temporaryDirectory('the-page');
  const dirs = [dataDir];
  let node: AnvilProcess;
  let talkative: TalkativeNode;
  let product: ChainfoldProcess;
  let browser: Browser;
  let port: number;
  const start = () => ChainfoldProcess.start({ DATA_DIR: dataDir, RPC_URL: talkative.url, START_BLOCK: '0', PORT: String(port) });
  const chain = () => product.api('/chains/31337');

  beforeAll(async () => {
    node = await AnvilProcess.start();
    talkative = await TalkativeNode.start(node.url, HOSTILE);
    port = await freePort();
    await node.mine(60, 1);
    product = await start();
    await followed(product, node);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await product?.kill();
    await talkative?.stop();
    await node?.stop();
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  describe.each(SIZES)('%s', (_name, width) => {
    let tab: WatchedPage;
    beforeAll(async () => {
      tab = await WatchedPage.open(browser, width, product.url);
    });
    afterEach(async () => {
      expect(tab.faults()).toEqual([]);
      expect(tab.outside).toEqual([]);
      expect(await tab.sideways()).toBeLessThanOrEqual(0);
    });
    afterAll(() => tab.page.context().close());

    const home = async () => {
      await tab.page.getByRole('link', { name: 'chainfold, head of the chain' }).click();
      await eventually(async () => expect(await tab.text('connection')).toBe('Live'));
    };
    const search = async (asked: string) => {
      await tab.page.getByTestId('search').fill(asked);
      await tab.page.getByRole('button', { name: 'Search' }).click();
    };

    it('arrives with the head, its newest blocks and transactions', async () => {
      await eventually(async () => expect(await tab.text('connection')).toBe('Live'));
      const { head, blocks, transactions } = await chain();
      expect(await tab.number('head-number')).toBe(head.number);
      expect([await tab.number('block-count'), await tab.number('transaction-count')]).toEqual([blocks, transactions]);
      expect(await tab.text('chain-status')).toBe('following');
      expect(await tab.text('projections')).toContain('at the head');
      await eventually(async () => expect(await tab.page.getByTestId('transaction-row').count()).toBeGreaterThan(2));
    });

    it('shows a block and its transactions when they are mined, without being loaded again', async () => {
      await tab.page.evaluate(() => Object.assign(globalThis, { notLoadedAgain: true }));
      await node.mine(1, 3);
      const block = await node.rpc('eth_getBlockByNumber', ['latest', false]);
      await eventually(async () => {
        expect(await tab.number('head-number')).toBe(Number(block.number));
        expect(await tab.page.getByTestId('block-row').first().getAttribute('data-number')).toBe(String(Number(block.number)));
        const rows = await tab.page.getByTestId('transaction-row').evaluateAll((all) => all.slice(0, 3).map((row) => row.getAttribute('data-hash')));
        expect(rows).toEqual(block.transactions);
      }, 10_000);
      expect(await tab.page.evaluate(() => 'notLoadedAgain' in globalThis)).toBe(true);
    });

    it('tells of a block what the API tells', async () => {
      const number = await node.head();
      await search(String(number));
      await eventually(async () => expect(await tab.number('block-number')).toBe(number), 10_000);
      const block = await product.api(`/chains/31337/blocks/${number}`);
      for (const name of ['hash', 'parentHash', 'stateRoot', 'miner']) {
        expect(await tab.page.locator(`[data-field="${name}"] [title="${block[name]}"]`).count()).toBe(1);
      }
      expect(digits(await tab.field('gasUsed'))).toMatch(new RegExp(`^${block.gasUsed}of${block.gasLimit}`));
      expect(await tab.field('timestamp')).toContain(block.timestamp.slice(0, 19).replace('T', ' '));
      expect(await tab.text('finality')).toBe(block.finality);
      for (const [part, verdict] of Object.entries(block.verification)) {
        expect(await tab.page.locator(`[data-testid=verdicts] [data-part="${part}"]`).innerText()).toBe(`${part} ${String(verdict)}`);
      }
      await eventually(async () => expect(await tab.page.getByTestId('transaction-row').count()).toBe(block.transactionCount));
      await tab.page.getByTestId('previous-block').click();
      await eventually(async () => expect(await tab.number('block-number')).toBe(number - 1));
    });

    it('tells of a transaction what the API tells', async () => {
      const [hash] = (await node.rpc('eth_getBlockByNumber', ['latest', false])).transactions;
      await search(hash);
      await tab.page.getByTestId('transaction-page').waitFor();
      const transaction = await product.api(`/chains/31337/transactions/${hash}`);
      for (const name of ['from', 'to']) expect(await tab.page.locator(`[data-field="${name}"] [title="${transaction[name]}"]`).count()).toBe(1);
      expect(await tab.field('value')).toBe('0.000000000000000001 ether');
      expect(digits(await tab.field('gasUsed'))).toBe(`${transaction.gasUsed}of${transaction.gas}`);
      expect(await tab.field('nonce')).toBe(transaction.nonce);
      expect(await tab.text('transaction-page')).toMatch(/transfer\s+success\s+canonical/);
      expect(await tab.text('logs')).toContain('left no logs');
    });

    it('shows text of a hostile node as text', async () => {
      expect(await tab.field('extra')).toContain(JSON.stringify(HOSTILE));
      await tab.page.locator('[data-field="blockNumber"] a').click();
      await tab.page.getByTestId('block-page').waitFor();
      expect(await tab.field('extra')).toContain(JSON.stringify(HOSTILE));
      await search(HOSTILE);
      await eventually(async () => expect(await tab.text('search-problem')).toContain('no block number'));
      await tab.page.goto(`${product.url}/blocks/${encodeURIComponent(HOSTILE)}`);
      await tab.page.getByTestId('problem').waitFor();
      expect(await tab.page.locator('img, #app script').count()).toBe(0);
    });

    it('finds an address, a block by its hash, and says what is not there', async () => {
      const [address] = await node.rpc('eth_accounts');
      await search(address);
      await tab.page.getByTestId('address-page').waitFor();
      await eventually(async () => expect(await tab.page.getByTestId('transaction-row').count()).toBe(50));
      await tab.page.getByTestId('more').click();
      await eventually(async () => expect(await tab.page.getByTestId('transaction-row').count()).toBeGreaterThan(60));
      const { hash } = await node.rpc('eth_getBlockByNumber', ['0x5', false]);
      await search(hash.toUpperCase().replace('0X', '0x'));
      await eventually(async () => expect(await tab.number('block-number')).toBe(5));
      await search('99999999');
      await eventually(async () => expect(await tab.text('search-problem')).toBe('Block 99999999 is not captured.'));
      await search(`0x${'ab'.repeat(32)}`);
      await eventually(async () => expect(await tab.text('search-problem')).toBe('No captured transaction or block has this hash.'));
    });

    it.each(['blocks', 'reorgs', 'backfills'])('opens /%s from the location bar', async (name) => {
      await tab.page.goto(`${product.url}/${name}`);
      await tab.page.getByRole('heading', { level: 1, name: new RegExp(name, 'i') }).waitFor();
    });

    it('shows a reorg as it happens, and what it dropped as orphaned', async () => {
      await home();
      const { head } = await chain();
      const depth = width < 600 ? 2 : 3;
      await node.rpc('anvil_reorg', [depth, []]);
      await node.mine(1, 1);
      const number = await node.head();
      await eventually(async () => {
        expect(await tab.page.getByTestId('reorg').first().getAttribute('data-depth')).toBe(String(depth));
        expect(await tab.number('head-number')).toBe(number);
      }, 15_000);
      await tab.page.goto(`${product.url}/blocks/${head.hash}`);
      await eventually(async () => expect(await tab.text('finality')).toBe('orphaned'));
      await home();
    });
  });

  it('says that the server is away, and goes on by itself when it is back', async () => {
    const tabs = await Promise.all(SIZES.map(([, width]) => WatchedPage.open(browser, width, product.url)));
    for (const tab of tabs) await eventually(async () => expect(await tab.text('connection')).toBe('Live'));
    await product.kill();
    for (const tab of tabs) {
      await eventually(async () => expect(await tab.text('connection')).toBe('Connection lost'));
      expect(await tab.text('warning')).toContain('The server does not answer');
      expect(await tab.page.getByTestId('block-row').count()).toBe(10);
    }
    await node.mine(4, 1);
    product = await start();
    const number = await node.head();
    for (const tab of tabs) {
      await eventually(async () => {
        expect(await tab.text('connection')).toBe('Live');
        expect(await tab.number('head-number')).toBe(number);
      });
      const rows = await tab.page.getByTestId('block-row').evaluateAll((all) => all.map((row) => Number(row.getAttribute('data-number'))));
      expect(rows).toEqual(Array.from({ length: 10 }, (_, index) => number - index));
      expect(tab.faults()).toEqual([]);
      expect(tab.outside).toEqual([]);
      expect(await tab.sideways()).toBeLessThanOrEqual(0);
    }
  });

  it('goes on when the server comes back with another log, where its own place means nothing', async () => {
    const tab = await WatchedPage.open(browser, 1280, product.url);
    await eventually(async () => expect(await tab.text('connection')).toBe('Live'));
    await product.kill();
    dirs.push((dataDir = temporaryDirectory('the-page-anew')));
    product = await start();
    await followed(product, node);
    await eventually(async () => expect(await tab.text('connection')).toBe('Live'));
    await node.mine(1, 1);
    const number = await node.head();
    await eventually(async () => expect(await tab.number('head-number')).toBe(number));
    await eventually(async () => expect(await tab.number('block-count')).toBe(number + 1));
    expect(tab.faults()).toEqual([]);
  });
});

/** Without the spaces of grouping. */
function digits(text: string): string {
  return text.replaceAll(/\s/g, '');
}
