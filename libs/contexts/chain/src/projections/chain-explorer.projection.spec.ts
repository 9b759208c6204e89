import { type EventFilter, type EventPage, MemoryEventStore } from '#platform/event-store';
import { type Position, systemClock } from '#platform/kernel';
import { ProjectionRunner } from '#platform/projections';
import { appendSketches, describeProjectionLaws, Projected, projected } from '#platform/testing';
import type { Row } from '#platform/read-store';
import { chainExplorer, CHAIN_EXPLORER } from './chain-explorer.projection.ts';
import { address, alice, blockHash, bob, ChainScene, ref, txHash, type SceneTransaction } from './explorer-scene.contract.ts';
import { hexOf } from './hex-bytes.ts';
import { unpackChunk } from './transaction-chunk.ts';

const many = (block: string, count: number): SceneTransaction[] => Array.from({ length: count }, (_, at) => ({ name: `${block}-${at}` }));

describeProjectionLaws(chainExplorer, (seed) => wholeStory(seed).events);

describe('the explorer projection', () => {
  let read: Projected;
  const given = async (scene: ChainScene): Promise<void> => {
    read = await projected(chainExplorer, scene.events, { maxBatchEvents: 3 });
  };
  const rows = (table: string, where = '1'): Row[] => read.store.read(CHAIN_EXPLORER, (view) => view.all(`SELECT * FROM ${view.table(table)} WHERE ${where}`));
  const canonical = (): string[] => rows('canonical', '1 ORDER BY number').map((row) => `${String(row.number)} ${hexOf(row.hash)}`);
  const pointers = (...names: string[]): string[] => names.map((name) => `${ref(name).number} ${ref(name).hash}`);
  const chain = (): Row => rows('chains')[0] as Row;

  afterEach(async () => {
    await read.close();
  });

  it('counts blocks, transactions and kinds of the canonical chain', async () => {
    await given(new ChainScene().observed('0a').observed('1a', [{ name: 'x' }, { name: 'y', input: '0x01' }, { name: 'z', to: null }]));
    expect(chain()).toMatchObject({ head_number: 1, blocks: 2, transactions: 3, transfers: 1, calls: 1, deploys: 1, revision: 2 });
  });

  it('moves pointers in a reorg and rewrites no row of a block or body', async () => {
    const scene = new ChainScene().observed('0a').observed('1a', many('1a', 2)).observed('2a', many('2a', 9));
    await given(scene);
    const before = [...rows('blocks'), ...rows('chunks'), ...rows('addresses')].map((row) => JSON.stringify(row));
    await read.append(new ChainScene().onBranch('1b', many('1b', 3)).onBranch('2b').onBranch('3b').reorganized('0a', ['1a', '2a'], ['1b', '2b', '3b']).events.slice(1));
    await read.caughtUp();
    expect(canonical()).toEqual(pointers('0a', '1b', '2b', '3b'));
    expect(chain()).toMatchObject({ head_number: 3, blocks: 4, transactions: 3, seen_blocks: 6, seen_transactions: 14, reorgs: 1 });
    const after = [...rows('blocks'), ...rows('chunks'), ...rows('addresses')].map((row) => JSON.stringify(row));
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it('takes a branch back that was dropped (A, B, A)', async () => {
    const scene = new ChainScene().observed('0a').observed('1a', many('1a', 2));
    scene.onBranch('1b', many('1b', 5)).reorganized('0a', ['1a'], ['1b']);
    scene.onBranch('2a').reorganized('0a', ['1b'], ['1a', '2a']);
    await given(scene);
    expect(canonical()).toEqual(pointers('0a', '1a', '2a'));
    expect(chain()).toMatchObject({ head_number: 2, blocks: 3, transactions: 2, reorgs: 2, seen_blocks: 4, seen_transactions: 7 });
  });

  it('lets the head fall when the chain was rolled back with nothing adopted', async () => {
    await given(new ChainScene().observed('0a').observed('1a', many('1a', 2)).observed('2a').safe('2a').reorganized('0a', ['1a', '2a'], []));
    expect(canonical()).toEqual(pointers('0a'));
    expect(chain()).toMatchObject({ head_number: 0, safe_number: 0, blocks: 1, transactions: 0, head_timestamp: '0x6553f100' });
  });

  it('takes a backfill below the first block without moving the head', async () => {
    const scene = new ChainScene('1', 10).observed('10a').backfillRequested(7, 9).backfillStarted(7, 9).backfilled(7, 9, '7a', many('7a', 1)).backfilled(7, 9, '8a');
    await given(scene);
    expect(chain()).toMatchObject({ head_number: 10, blocks: 3, transactions: 1 });
    expect(rows('backfills')).toMatchObject([{ from_block: 7, to_block: 9, done: 2, finished_at: null }]);
  });

  it('finishes a backfill once', async () => {
    const scene = new ChainScene('1', 10).observed('10a').backfillRequested(9, 9).backfillStarted(9, 9).backfilled(9, 9, '9a').backfillFinished(9, 9);
    await given(scene);
    expect(rows('backfills')).toMatchObject([{ done: 1, finished_at: expect.any(String), requested_at: expect.any(String) }]);
  });

  it('keeps the body of a block that nobody observed out of everything that is canonical', async () => {
    await given(new ChainScene().observed('0a').body('1x', many('1x', 20)));
    expect(canonical()).toEqual(pointers('0a'));
    expect(rows('blocks')).toHaveLength(1);
    expect(chain()).toMatchObject({ blocks: 1, transactions: 0, seen_transactions: 0 });
  });

  it('packs bodies by eights and leaves nothing pending', async () => {
    await given(new ChainScene().observed('0a', many('0a', 19)));
    const chunks = rows('chunks', '1 ORDER BY chunk');
    expect(chunks.map((row) => row.chunk)).toEqual([0, 1, 2]);
    expect(rows('pending')).toEqual([]);
    expect(unpackChunk(chunks[2]?.body)(18).transaction().hash).toBe(txHash('0a-18'));
  });

  it('files one row per transaction and address, with all its roles', async () => {
    await given(new ChainScene().observed('0a', [{ name: 'self', from: alice, to: alice }, { name: 'new', from: alice, to: null }]));
    const filed = rows('addresses', '1 ORDER BY tx, roles').map((row) => [hexOf(row.address), row.tx, row.roles]);
    expect(filed).toEqual([[alice, 0, 3], [alice, 1, 1], [address('new'), 1, 4]]);
  });

  it('calls nothing final any more once a chain that broke its promise is resumed', async () => {
    const scene = new ChainScene();
    for (const number of [0, 1, 2, 3, 4, 5]) scene.observed(`${number}a`);
    await given(scene.safe('5a').finalized('4a').stopped('reorg-below-finalized', 'another chain').resumed('the node is right'));
    expect(chain()).toMatchObject({ finalized_number: null, finalized_hash: null, safe_number: 5 });
    const after = scene.events.length;
    for (const number of [3, 4, 5, 6]) scene.onBranch(`${number}b`);
    await read.append(scene.reorganized('2a', ['3a', '4a', '5a'], ['3b', '4b', '5b', '6b']).finalized('3b').events.slice(after));
    await read.caughtUp();
    expect(chain()).toMatchObject({ head_number: 6, safe_number: 2, finalized_number: 3 });
  });

  it('keeps what is final when a chain is resumed after any other stop', async () => {
    await given(new ChainScene().observed('0a').observed('1a').finalized('1a').stopped('genesis-changed', 'another node').resumed('the address was wrong'));
    expect(chain()).toMatchObject({ finalized_number: 1 });
  });

  it('remembers stops and what ended them', async () => {
    await given(new ChainScene().observed('0a').stopped('deep-reorg', 'below finalized').resumed('the node was wrong'));
    expect(rows('stops')).toMatchObject([{ code: 'deep-reorg', reason: 'below finalized', resume_reason: 'the node was wrong' }]);
    expect(chain().stop_revision).toBeNull();
  });

  it('keeps chains apart, also those whose id is above 2^53', async () => {
    const scene = new ChainScene('3503995874084926').observed('0a', many('0a', 1));
    scene.events.push(...new ChainScene('1').observed('0a').events);
    await given(scene);
    expect(rows('chains', '1 ORDER BY length(chain)').map((row) => [row.chain, row.transactions])).toEqual([['1', 0], ['3503995874084926', 1]]);
  });

  it('keeps several inclusions of one transaction', async () => {
    const scene = new ChainScene().observed('0a').observed('1a', [{ name: 'x' }]).onBranch('1b').onBranch('2b', [{ name: 'x' }]).reorganized('0a', ['1a'], ['1b', '2b']);
    await given(scene);
    expect(rows('inclusions', '1 ORDER BY number').map((row) => hexOf(row.block))).toEqual([blockHash('1a'), blockHash('2b')]);
  });
});

describe('when the log delivers a stream with one event missing, the explorer projection', () => {
  let log: LossyLog;
  let read: Projected;
  let runner: ProjectionRunner;
  const given = async (lost: LossyLog['lost'], maxBatchEvents?: number): Promise<void> => {
    const scene = new ChainScene('1', 10).observed('10a').backfillRequested(7, 9).backfillStarted(7, 9);
    scene.backfilled(7, 9, '7a').backfilled(7, 9, '8a').observed('11a').observed('12a');
    log = new LossyLog('xtest');
    await appendSketches(log, scene.events);
    log.lost = lost;
    read = new Projected(chainExplorer);
    const settings = { firstRetryMs: 5, maxRetryMs: 10, ...(maxBatchEvents === undefined ? {} : { maxBatchEvents }) };
    runner = new ProjectionRunner({ reader: log, store: read.writer, projections: [chainExplorer], clock: systemClock, settings });
    await runner.start();
  };
  const until = async (code: string | undefined): Promise<void> => {
    const seen = async (): Promise<string | undefined> => (await runner.status())[0]?.lastError?.code;
    for (let tries = 0; tries < 500 && (await seen()) !== code; tries += 1) await systemClock.sleep(5);
    expect(await seen()).toBe(code);
  };
  const blocks = (): unknown => read.store.read(CHAIN_EXPLORER, (view) => view.get(`SELECT count(*) AS n FROM ${view.table('blocks')}`))?.['n'];

  afterEach(async () => {
    await runner.close();
    await read.close();
  });

  it.each([
    ['the order of the chain', 'chain-1', 2],
    ['a backfill', 'backfill-1.7.9', 1],
  ])('shows nothing after it in %s, says so, and goes on once it arrives', async (_what, stream, revision) => {
    await given({ stream, revision });
    await until('gap-detected');
    expect(blocks()).toBe(0);
    log.lost = undefined;
    await until(undefined);
    await read.store.waitFor(CHAIN_EXPLORER, await log.head(), 5_000, systemClock);
    expect(blocks()).toBe(5);
  });

  it('stands still where the checkpoint had passed it already, until it is rebuilt', async () => {
    await given({ stream: 'chain-1', revision: 3 }, 1);
    await until('gap-detected');
    expect(blocks()).toBe(3);
    log.lost = undefined;
    await runner.rebuild(CHAIN_EXPLORER);
    await until(undefined);
    await read.store.waitFor(CHAIN_EXPLORER, await log.head(), 5_000, systemClock);
    expect(blocks()).toBe(5);
  });
});

/** Loses one event on the way, as a reader with a bug does. */
class LossyLog extends MemoryEventStore {
  lost: { readonly stream: string; readonly revision: number } | undefined;

  override async readAll(after: Position, filter: EventFilter, limit: number): Promise<EventPage> {
    const page = await super.readAll(after, filter, limit);
    return { ...page, events: page.events.filter((event) => event.stream !== this.lost?.stream || event.revision !== this.lost.revision) };
  }
}

/** Enough of everything that each table gets rows, changes and deletes. */
function wholeStory(seed: number): ChainScene {
  const scene = new ChainScene(String(seed), 5);
  scene.observed('5a').observed('6a', [...many('6a', 7 + seed), { name: 'd', to: null }, { name: 'c', input: '0xabcdef', from: bob }]);
  scene.backfillRequested(2, 4).backfillStarted(2, 4).backfilled(2, 4, '2a', many('2a', seed)).observed('7a').backfilled(2, 4, '3a');
  scene.onBranch('7b', many('7b', 17)).onBranch('8b').reorganized('6a', ['7a'], ['7b', '8b']).safe('8b').finalized('6a');
  scene.reorganized('7b', ['8b'], []).onBranch('8c', many('8b', 3)).reorganized('6a', ['7b'], ['7a']).backfilled(2, 4, '4a').backfillFinished(2, 4);
  const big = scene.fetched('8a', { name: 'big', input: '0x11' }, 0);
  const place = { chainId: scene.chainId, blockNumber: 8, blockHash: blockHash('8a'), index: 0 };
  const stream = `block-${scene.chainId}.${blockHash('8a')}`;
  scene.events.push({ stream, type: 'TxFetched', data: { ...big, continued: { input: 1, logs: 1 } } });
  scene.events.push({ stream, type: 'TxInputContinued', data: { ...place, part: 1, input: '22' } });
  scene.events.push({ stream, type: 'TxLogsContinued', data: { ...place, part: 1, logs: [] } });
  scene.events.push({ stream, type: 'BlockCompleted', data: { chainId: scene.chainId, blockNumber: 8, blockHash: blockHash('8a'), count: 1, digest: '' } });
  scene.events.push({ stream: `chain-${scene.chainId}`, type: 'BlockObserved', data: scene.block('8a', [{ name: 'big', input: '0x11' }]) });
  return scene.stopped('a', 'b').resumed('c').stopped('d', 'e');
}
