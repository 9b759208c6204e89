import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#platform/kernel';
import { describeWithFixtures, projected, type EventSketch, type Projected } from '#platform/testing';
import { blockBodyDecider } from '../domain/block-body.decider.ts';
import { normaliseBlock, normaliseReceipts } from '../domain/normalise.ts';
import { observe } from '../domain/observe.ts';
import type { FetchedBlock, Hex, RpcBlock, RpcReceipt } from '../domain/rpc-types.ts';
import { chainExplorer, CHAIN_EXPLORER } from '../projections/chain-explorer.projection.ts';
import { alice, blockHash, bob, ChainScene, txHash } from '../projections/explorer-scene.contract.ts';
import { SqliteChainExplorer } from './sqlite.chain-explorer.ts';

type Fields = Record<string, unknown>;

const all = { limit: 500, order: 'asc' } as const;
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('the explorer on SQLite', () => {
  const open: Projected[] = [];
  const explorerOf = async (events: readonly EventSketch[]): Promise<SqliteChainExplorer> => {
    const read = await projected(chainExplorer, events);
    open.push(read);
    return new SqliteChainExplorer(read.store, read.log, systemClock);
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((read) => read.close()));
  });

  describeWithFixtures('shows every field as the node gave it', (fixtures) => {
    it.each(blocksWithReceipts(fixtures))('of %s', async (_name, block, receipts) => {
      const explorer = await explorerOf(captured('1', block, receipts));
      await expectSame(explorer, block, receipts);
    });

    it.each(recordedTransactions(fixtures))('of the transaction that %s was asked for', async (_name, transaction, receipt) => {
      const { block, receipts } = blockAround(transaction, receipt);
      const explorer = await explorerOf(captured('3503995874084926', block, receipts));
      const answer = await explorer.transaction('3503995874084926', transaction['hash'] as Hex);
      expectFields(transaction, answer, answer.extra);
      expectFields(receipt, answer, answer.extra);
    });

    it('of a mainnet block without receipts, and says that there are none', async () => {
      const block = readBlock(join(fixtures, 'evm-blocks/ethereum/19426587.block.json'));
      const explorer = await explorerOf(captured('1', block, undefined));
      await expectSame(explorer, block, undefined);
    });
  });

  it('shows a transaction of several megabytes whole, as one answer', async () => {
    const scene = new ChainScene();
    const log = { address: bob, topics: [txHash('topic')], data: `0x${'ab'.repeat(200_000)}`, logIndex: '0x0' };
    const fetched = scene.fetched('0a', { name: 'big', input: `0x${'12'.repeat(300_000)}`, receiptMore: { logs: [log, { ...log, logIndex: '0x1' }] } }, 0);
    const { transaction, receipt } = fetched as unknown as { transaction: Fields; receipt: RpcReceipt };
    const block = { ...scene.block('0a', []).header, transactions: [transaction] } as unknown as RpcBlock;
    const events = captured('1', block, [receipt]);
    expect(events.map((event) => event.type)).toEqual(expect.arrayContaining(['TxInputContinued', 'TxLogsContinued']));
    const explorer = await explorerOf(events);
    await expectSame(explorer, block, [receipt]);
  });

  it('tells a wrong chain, and the summary of a transaction without its receipt', async () => {
    const explorer = await explorerOf(new ChainScene('7', 0, false).observed('0a', [{ name: 'x' }]).events);
    const { items } = await explorer.blockTransactions('7', 0, all);
    expect(items[0]).toMatchObject({ receipt: 'not-captured', kind: 'transfer' });
    expect(items[0]).not.toHaveProperty('status');
    const whole = await explorer.transaction('7', txHash('x'));
    expect(whole.receipt).toBe('not-captured');
    expect(Object.keys(whole)).not.toEqual(expect.arrayContaining(['status']));
    await expect(explorer.chain('8')).rejects.toMatchObject({ code: 'chain-unknown' });
  });

  it('goes on after a reorg where the cursor stood, on the branch that is canonical now', async () => {
    const scene = new ChainScene();
    for (let number = 0; number < 6; number += 1) scene.observed(`${number}a`, [{ name: `${number}a` }]);
    const read = await projected(chainExplorer, scene.events);
    open.push(read);
    const explorer = new SqliteChainExplorer(read.store, read.log, systemClock);
    const page = { limit: 2, order: 'desc', orphaned: false } as const;
    const first = await explorer.addressTransactions('1', alice, page);
    expect(first.items.map((item) => item.blockNumber)).toEqual([5, 4]);
    const branch = new ChainScene().onBranch('3b', [{ name: '3b' }]).onBranch('4b', [{ name: '4b' }]).onBranch('5b').onBranch('6b', [{ name: '6b' }]);
    await read.append(branch.reorganized('2a', ['3a', '4a', '5a'], ['3b', '4b', '5b', '6b']).events.slice(1));
    await read.caughtUp();
    const second = await explorer.addressTransactions('1', alice, { ...page, after: first.next ?? undefined });
    expect(second.items.map((item) => item.blockHash)).toEqual([blockHash('3b'), blockHash('2a')]);
    const blocks = await explorer.blocks('1', { ...page, limit: 500 });
    expect(blocks.items.map((block) => block.hash)).toEqual(['6b', '5b', '4b', '3b', '2a', '1a', '0a'].map(blockHash));
  });

  it('shows an orphaned transaction as canonical again when its branch comes back', async () => {
    const scene = new ChainScene().observed('0a').observed('1a', [{ name: 'x' }]).onBranch('1b').reorganized('0a', ['1a'], ['1b']);
    expect((await (await explorerOf(scene.events)).transaction('1', txHash('x'))).finality).toBe('orphaned');
    scene.onBranch('2a').reorganized('0a', ['1b'], ['1a', '2a']).finalized('1a');
    expect((await (await explorerOf(scene.events)).transaction('1', txHash('x'))).finality).toBe('finalized');
  });

  it('finds the page of a busy address by its key, without sorting its rows', async () => {
    const read = await projected(chainExplorer, new ChainScene().observed('0a', [{ name: 'x' }]).events);
    open.push(read);
    const explained: string[] = [];
    const explaining = {
      read: <T>(projection: string, fn: (view: Parameters<Parameters<typeof read.store.read<T>>[1]>[0]) => T): T =>
        read.store.read(projection, (view) => {
          const all: typeof view.all = (sql, ...params) => {
            explained.push(...view.all(`EXPLAIN QUERY PLAN ${sql}`, ...params).map((row) => String(row.detail)));
            return view.all(sql, ...params);
          };
          return fn({ asOf: view.asOf, table: (name) => view.table(name), get: (sql, ...params) => view.get(sql, ...params), all });
        }),
    };
    const explorer = new SqliteChainExplorer(explaining as unknown as typeof read.store, read.log, systemClock);
    for (const order of ['asc', 'desc'] as const) {
      for (const orphaned of [true, false]) {
        await explorer.addressTransactions('1', alice, { limit: 50, order, orphaned, after: [5, 5, blockHash('0a')] });
        await explorer.blocks('1', { limit: 50, order, orphaned, after: [5, blockHash('0a')] });
      }
    }
    expect(explained.filter((step) => /TEMP B-TREE|SCAN/.test(step))).toEqual([]);
    expect(explained.filter((step) => step.includes('chain=? AND address=?'))).toHaveLength(4);
  });

  it('answers with nothing yet before the first event, and not with an error', async () => {
    const read = await projected(chainExplorer, []);
    open.push(read);
    expect(await new SqliteChainExplorer(read.store, read.log, systemClock).chains()).toMatchObject({ items: [] });
    expect(chainExplorer.name).toBe(CHAIN_EXPLORER);
  });
});

async function expectSame(explorer: SqliteChainExplorer, block: RpcBlock, receipts: readonly RpcReceipt[] | undefined): Promise<void> {
  const number = Number(block.number);
  const { transactions, ...header } = block;
  const shown = await explorer.block('1', number);
  expectFields(header, shown, shown.extra);
  expect(shown.transactionCount).toBe(transactions.length);
  const list = await explorer.blockTransactions('1', number, all);
  expect(list.items.map((item) => item.hash)).toEqual(transactions.map((transaction) => transaction.hash));
  for (const [index, transaction] of transactions.entries()) {
    const answer = await explorer.transaction('1', transaction.hash);
    expectFields(transaction, answer, answer.extra);
    const receipt = receipts?.[index];
    if (receipt !== undefined) expectFields(receipt, answer, answer.extra, 'receipt.');
    const { index: _index, receipt: _receipt, ...summary } = list.items[index] as unknown as Fields;
    const whole = answer as Fields;
    expect(summary).toEqual(Object.fromEntries(Object.keys(summary).map((field) => [field, whole[field] ?? null])));
  }
}

/** Reads the API's form back, without the tables that made it. */
function expectFields(node: object, answer: object, extra: object | undefined, prefix = ''): void {
  const wrong: [string, unknown, unknown][] = [];
  for (const [field, value] of Object.entries(node)) {
    const name = field === 'transactionHash' && !Object.hasOwn(answer, field) ? 'hash' : field;
    const candidates = [(answer as Fields)[name], (extra as Fields | undefined)?.[`${prefix}${field}`], (extra as Fields | undefined)?.[field]];
    if (!candidates.some((shown) => means(shown, value))) wrong.push([field, value, candidates[0]]);
  }
  expect(wrong).toEqual([]);
}

function means(shown: unknown, node: unknown): boolean {
  if (shown === undefined) return false;
  if (JSON.stringify(shown) === JSON.stringify(node)) return true;
  if (Array.isArray(node)) return Array.isArray(shown) && shown.length === node.length && node.every((item, at) => means(shown[at], item));
  if (typeof node === 'object' && node !== null) {
    const given = shown as { readonly extra?: Fields } & Fields;
    return Object.entries(node).every(([field, value]) => means(given[field], value) || means(given.extra?.[field], value));
  }
  if (typeof node !== 'string' || !/^0x[0-9a-f]+$/.test(node)) return false;
  if (shown === 'success' || shown === 'reverted') return node === (shown === 'success' ? '0x1' : '0x0');
  if (typeof shown === 'number') return BigInt(shown) === BigInt(node);
  if (typeof shown === 'string' && /^\d+$/.test(shown)) return BigInt(shown) === BigInt(node);
  return typeof shown === 'string' && Date.parse(shown) === Number(node) * 1000;
}

/** Events as the capture writes them, of one block that came first. */
function captured(chainId: string, block: RpcBlock, receipts: readonly RpcReceipt[] | undefined): EventSketch[] {
  const fetched: FetchedBlock = { block, receipts, bytes: 0 };
  const decider = blockBodyDecider(sha256);
  const body = decider.decide({ type: 'RecordBody', chainId, fetched }, decider.initialState(), { now: 0 });
  const started = { chainId, genesisHash: block.hash, firstBlock: Number(block.number) };
  return [
    { stream: `chain-${chainId}`, type: 'ChainStarted', data: started },
    ...body.map(({ type, data }) => ({ stream: `block-${chainId}.${block.hash}`, type, data: data })),
    { stream: `chain-${chainId}`, type: 'BlockObserved', data: observe(chainId, fetched, { header: 'verified' }) },
  ];
}

function readJson(file: string): Fields {
  const json = JSON.parse(readFileSync(file, 'utf8')) as { result?: Fields } & Fields;
  return json.result ?? json;
}

function readBlock(file: string): RpcBlock {
  return normaliseBlock(readJson(file));
}

function blocksWithReceipts(fixtures: string): [string, RpcBlock, readonly RpcReceipt[]][] {
  const found: [string, RpcBlock, readonly RpcReceipt[]][] = [];
  for (const folder of ['ethereum', 'squid-sdk/ethereum', 'squid-sdk/optimism', 'squid-sdk/bittensor-testnet', 'squid-sdk/hyperliquid', 'squid-sdk/tempo-mainnet', 'squid-sdk/stable-testnet']) {
    const dir = join(fixtures, 'evm-blocks', folder);
    for (const file of readdirSync(dir).filter((name) => name.endsWith('.block.json'))) {
      const receipts = join(dir, file.replace('.block.', '.receipts.'));
      if (!existsSync(receipts)) continue;
      const block = readBlock(join(dir, file));
      found.push([`${folder}/${file}`, block, normaliseReceipts(readJson(receipts), block)]);
    }
  }
  return found;
}

/** Answers of a node that were recorded by the authors of the specification. */
function recordedTransactions(fixtures: string): [string, Fields, Fields][] {
  const folder = (method: string): string => join(fixtures, 'execution-apis', method);
  const answers = (method: string): Map<string, Fields> => {
    const found = new Map<string, Fields>();
    for (const file of readdirSync(folder(method))) {
      const line = readFileSync(join(folder(method), file), 'utf8').split('\n').find((text) => text.startsWith('<< '));
      const { result } = JSON.parse(line?.slice(3) ?? '{}') as { result?: Fields | null };
      if (result !== null && result !== undefined) found.set(String(result['hash'] ?? result['transactionHash']), { ...result, file });
    }
    return found;
  };
  const receipts = answers('eth_getTransactionReceipt');
  return [...answers('eth_getTransactionByHash')].flatMap(([hash, { file, ...transaction }]) => {
    const { file: _file, ...receipt } = receipts.get(hash) ?? {};
    return Object.keys(receipt).length === 0 ? [] : [[String(file), transaction, receipt] as [string, Fields, Fields]];
  });
}

/** A block in which the transaction has its own index; what stands before it has other hashes. */
function blockAround(transaction: Fields, receipt: Fields): { block: RpcBlock; receipts: RpcReceipt[] } {
  const index = Number(transaction['transactionIndex']);
  const at = <T extends Fields>(object: T, hash: string, place: number): T => ({ ...object, [hash]: place === index ? object[hash] : txHash(String(place)), transactionIndex: `0x${place.toString(16)}` });
  const places = Array.from({ length: index + 1 }, (_, place) => place);
  const transactions = places.map((place) => at(transaction, 'hash', place));
  const header = { hash: transaction['blockHash'], parentHash: blockHash('parent'), number: transaction['blockNumber'], timestamp: '0x1' };
  return { block: { ...header, transactions } as unknown as RpcBlock, receipts: places.map((place) => at(receipt, 'transactionHash', place)) as unknown as RpcReceipt[] };
}
