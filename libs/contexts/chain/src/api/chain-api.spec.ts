import { Validator } from '@seriousme/openapi-schema-validator';
import { CommandBus, CommandHandler, CqrsModule, type ICommandHandler } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { Told } from '#platform/actors';
import { createHttpAdapter, HttpModule, type AccessToken } from '#platform/http';
import { ChainfoldError, systemClock, type Position } from '#platform/kernel';
import { projected, type Projected } from '#platform/testing';
import { z } from 'zod';
import { SqliteChainExplorer } from '../adapters/sqlite.chain-explorer.ts';
import { CaptureStatusBoard } from '../application/capture-status.ts';
import { TellChain } from '../application/tell-chain.handler.ts';
import { chainDecider, type Chain } from '../domain/chain.decider.ts';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';
import { chainExplorer } from '../projections/chain-explorer.projection.ts';
import { alice, blockHash, bob, ChainScene, txHash, type SceneTransaction } from '../projections/explorer-scene.contract.ts';
import { backfillAnswer, backfillList, backfillRequested } from './backfills.dto.ts';
import { blockAnswer, blockList } from './blocks.dto.ts';
import { ChainNames, ChainOverview } from './chain-status.ts';
import { chainAnswer, chainList, commandAnswer, reorgList, stopList } from './chains.dto.ts';
import { chainApiProviders, chainControllers } from './index.ts';
import { addressTransactionList, blockTransactionList, transactionAnswer } from './transactions.dto.ts';

const HEAD_AT = (1_700_000_000 + 4 * 12) * 1000;
const clock = { ...systemClock, now: () => HEAD_AT + 7_500 };
const many = (block: string, count: number): SceneTransaction[] => Array.from({ length: count }, (_, at) => ({ name: `${block}-${at}` }));

let asked: TellChain[] = [];
let answerCommand: (command: TellChain) => Told;

@CommandHandler(TellChain)
class ActorStandIn implements ICommandHandler<TellChain> {
  async execute(command: TellChain): Promise<Told> {
    asked.push(command);
    return answerCommand(command);
  }
}

describe('the REST API of the chain', () => {
  let read: Projected;
  let app: NestFastifyApplication | undefined;
  let board: CaptureStatusBoard;

  /** The story went on in a test: the next one starts over. */
  let moved = true;
  const close = async (): Promise<void> => {
    await app?.close();
    await read?.close();
  };
  const happens = async (events: ChainScene['events']): Promise<void> => {
    moved = true;
    await read.append(events);
  };

  beforeEach(async () => {
    asked = [];
    answerCommand = () => ({ revision: 9, position: 'xtest:000000000000042' as Position, events: [], repeated: false });
    if (!moved) return;
    await close();
    moved = false;
    read = await projected(chainExplorer, story().events);
    board = new CaptureStatusBoard(clock);
    board.update('1', { state: 'following', nodeHead: 4 });
    app = await serving(read, board);
  });
  afterAll(close);

  const server = (): NestFastifyApplication => app as NestFastifyApplication;
  const get = async (path: string, headers: Record<string, string> = {}) => server().inject({ method: 'GET', url: `/api/v1${path}`, headers });
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
    server().inject({ method: 'POST', url: `/api/v1${path}`, payload: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  const shown = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
    const response = await get(path);
    expect([response.statusCode, path]).toEqual([200, path]);
    const answer = schema.safeParse(response.json());
    expect(answer.error?.issues ?? []).toEqual([]);
    return answer.data as z.output<T>;
  };
  const refused = async (path: string, status: number, expected: object): Promise<void> => {
    const response = await get(path);
    expect({ path, status: response.statusCode, ...response.json() }).toMatchObject({ path, status, ...expected });
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  };

  describe('shows', () => {
    it('the chain with what its capture says now', async () => {
      const chain = await shown('/chains/1', chainAnswer);
      expect(chain).toMatchObject({ chainId: '1', name: 'Testnet', status: 'following', reason: null, nodeHead: 4, headAgeSeconds: 7, blocks: 5, transactions: 66 });
      expect(chain.head).toEqual({ number: 4, hash: blockHash('4b'), timestamp: new Date(HEAD_AT).toISOString() });
      expect(chain).toMatchObject({ safe: { number: 2 }, finalized: { number: 1 } });
      expect((await shown('/chains', chainList)).items).toHaveLength(1);
    });

    it('orphans in the counts only when asked for', async () => {
      expect(await shown('/chains/1', chainAnswer)).not.toHaveProperty('orphaned');
      expect(await shown('/chains/1?orphaned=true', chainAnswer)).toMatchObject({ orphaned: { blocks: 1, transactions: 2 } });
    });

    it('a stop and its reason before what the process says', async () => {
      await happens(story(true).events.slice(-1));
      await read.caughtUp();
      expect(await shown('/chains/1', chainAnswer)).toMatchObject({ status: 'stopped', reason: 'below finalized' });
      expect((await shown('/chains/1/stops', stopList)).items).toMatchObject([{ code: 'deep-reorg', resumedAt: null }]);
    });

    it('blocks newest first, or oldest first, page by page', async () => {
      const first = await shown('/chains/1/blocks?limit=2', blockList);
      expect(first.items.map((block) => block.hash)).toEqual([blockHash('4b'), blockHash('3b')]);
      const second = await shown(`/chains/1/blocks?limit=2&after=${first.next}`, blockList);
      expect(second.items.map((block) => block.number)).toEqual([2, 1]);
      const last = await shown(`/chains/1/blocks?limit=2&after=${second.next}`, blockList);
      expect([last.items.map((block) => block.number), last.next]).toEqual([[0], null]);
      expect((await shown('/chains/1/blocks?order=asc&limit=2', blockList)).items.map((block) => block.number)).toEqual([0, 1]);
    });

    it('orphaned blocks in the list only when asked for', async () => {
      const all = await shown('/chains/1/blocks?orphaned=true&limit=500', blockList);
      expect(all.items.filter((block) => block.finality === 'orphaned').map((block) => block.hash)).toEqual([blockHash('3a')]);
      expect(all.items).toHaveLength(6);
      const one = await shown('/chains/1/blocks?orphaned=true&limit=1&order=asc', blockList);
      let seen = one.items.length;
      for (let { next } = one; next !== null; seen += 1) ({ next } = await shown(`/chains/1/blocks?orphaned=true&limit=1&order=asc&after=${next}`, blockList));
      expect(seen).toBe(6);
    });

    it.each([['0', 'finalized'], ['1', 'finalized'], ['2', 'safe'], ['3', 'canonical'], ['latest', 'canonical'], ['safe', 'safe'], ['finalized', 'finalized']])('block %s as %s', async (block, finality) => {
      expect(await shown(`/chains/1/blocks/${block}`, blockAnswer)).toMatchObject({ finality, verified: true, verification: { senders: 'unverifiable' } });
    });

    it('an orphaned block by its hash, in any case of its letters', async () => {
      const hash = `0x${blockHash('3a').slice(2).toUpperCase()}`;
      expect(await shown(`/chains/1/blocks/${hash}`, blockAnswer)).toMatchObject({ hash: blockHash('3a'), finality: 'orphaned', transactionCount: 2 });
    });

    it('transactions of a block in index order, and the next pages stay with that block when a reorg drops it', async () => {
      const first = await shown('/chains/1/blocks/latest/transactions?limit=40', blockTransactionList);
      expect(first.items.map((transaction) => transaction.index)).toEqual(Array.from({ length: 40 }, (_, at) => at));
      await happens(new ChainScene().onBranch('4c').reorganized('3b', ['4b'], ['4c']).events.slice(1));
      await read.caughtUp();
      const second = await shown(`/chains/1/blocks/latest/transactions?limit=40&after=${first.next}`, blockTransactionList);
      expect(second.block).toMatchObject({ hash: blockHash('4b'), finality: 'orphaned' });
      expect([second.items[0]?.index, second.items.length, second.next]).toEqual([40, 20, null]);
    });

    it('transactions of a block from its end', async () => {
      const { items, next } = await shown('/chains/1/blocks/4/transactions?limit=3&order=desc', blockTransactionList);
      expect(items.map((transaction) => transaction.index)).toEqual([59, 58, 57]);
      expect((await shown(`/chains/1/blocks/4/transactions?limit=3&order=desc&after=${next}`, blockTransactionList)).items[0]?.index).toBe(56);
    });

    it('a deploy with null as its receiver, amounts as decimal text, indexes as numbers', async () => {
      const deploy = await shown(`/chains/1/transactions/${txHash('new')}`, transactionAnswer);
      expect(deploy).toMatchObject({ kind: 'deploy', to: null, value: '1000000000000000000', gas: '21000', nonce: '1', type: 2, blockNumber: 1, status: 'success', receipt: 'captured', finality: 'finalized' });
      expect(deploy).not.toHaveProperty('inclusions');
    });

    it('every block that a transaction stood in, the canonical one first', async () => {
      const moved = await shown(`/chains/1/transactions/${txHash('moved')}`, transactionAnswer);
      expect(moved).toMatchObject({ blockHash: blockHash('3b'), transactionIndex: 2, finality: 'canonical' });
      expect(moved.inclusions?.map(({ blockHash: hash, finality }) => [hash, finality])).toEqual([[blockHash('3b'), 'canonical'], [blockHash('3a'), 'orphaned']]);
    });

    it('a transaction that only an orphaned block has', async () => {
      expect(await shown(`/chains/1/transactions/${txHash('lost')}`, transactionAnswer)).toMatchObject({ finality: 'orphaned', blockHash: blockHash('3a') });
    });

    it('fields of the node that nobody knows, and odd values, verbatim under extra', async () => {
      const odd = await shown(`/chains/1/transactions/${txHash('odd')}`, transactionAnswer);
      expect(odd.extra).toEqual({ l1Fee: '0x1', gasPrice: null, mint: { deep: ['0xAb'] }, 'receipt.type': '0x7e' });
      expect(odd.type).toBe(2);
    });

    it('transactions of an address with its roles, newest first, without those of dropped blocks', async () => {
      const page = await shown(`/chains/1/addresses/${bob}/transactions?limit=500`, addressTransactionList);
      expect(page.items).toHaveLength(65);
      expect(page.items[0]).toMatchObject({ blockNumber: 4, index: 59, roles: ['receiver'] });
      expect(page.items.map((item) => item.blockHash)).not.toContain(blockHash('3a'));
      const all = await shown(`/chains/1/addresses/${bob}/transactions?limit=500&orphaned=true`, addressTransactionList);
      expect(all.items.filter((item) => item.finality === 'orphaned')).toHaveLength(2);
    });

    it('pages of an address that neither repeat nor skip, in both orders, while blocks arrive', async () => {
      for (const order of ['asc', 'desc']) {
        const whole = (await shown(`/chains/1/addresses/${alice}/transactions?limit=500&order=${order}`, addressTransactionList)).items.map((item) => item.hash);
        const paged: string[] = [];
        for (let next: string | null = ''; next !== null;) {
          const page: z.output<typeof addressTransactionList> = await shown(`/chains/1/addresses/${alice}/transactions?limit=7&order=${order}${next === '' ? '' : `&after=${next}`}`, addressTransactionList);
          paged.push(...page.items.map((item) => item.hash));
          next = page.next;
        }
        expect(paged).toEqual(whole);
      }
    });

    it('nothing of an address that was never seen, which is no mistake', async () => {
      expect(await shown(`/chains/1/addresses/0x${'1'.repeat(40)}/transactions`, addressTransactionList)).toMatchObject({ items: [], next: null });
    });

    it('reorgs with what they dropped and adopted', async () => {
      const { items } = await shown('/chains/1/reorgs', reorgList);
      expect(items).toMatchObject([{ ancestor: { number: 2 }, depth: 1, dropped: [{ hash: blockHash('3a') }], adopted: [{ hash: blockHash('3b') }] }]);
    });

    it('nothing of a body whose block was never observed', async () => {
      await refused(`/chains/1/transactions/${txHash('unseen')}`, 404, { code: 'transaction-unknown', facts: { hash: txHash('unseen') } });
    });
  });

  it('documents every route with its parameters and answers, as valid OpenAPI 3.1', async () => {
    const document = (await server().inject({ method: 'GET', url: '/api/openapi.json' })).json();
    expect((await new Validator().validate(structuredClone(document))).errors ?? []).toEqual([]);
    const routes = Object.entries<Record<string, { summary?: string }>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([, { summary }]) => summary !== undefined).map(([method]) => `${method} ${path.replace('/api/v1', '')}`),
    );
    expect(routes.sort()).toEqual([
      'get /chains', 'get /chains/{chainId}', 'get /chains/{chainId}/addresses/{address}/transactions', 'get /chains/{chainId}/backfills',
      'get /chains/{chainId}/backfills/{backfill}', 'get /chains/{chainId}/blocks', 'get /chains/{chainId}/blocks/{block}',
      'get /chains/{chainId}/blocks/{block}/transactions', 'get /chains/{chainId}/reorgs', 'get /chains/{chainId}/stops',
      'get /chains/{chainId}/transactions/{hash}', 'post /chains/{chainId}/backfills', 'post /chains/{chainId}/backfills/{backfill}/cancel', 'post /chains/{chainId}/resume',
    ]);
    const list = document.paths['/api/v1/chains/{chainId}/blocks'].get;
    expect(list.parameters.map(({ name }: { name: string }) => name)).toEqual(['chainId', 'limit', 'after', 'order', 'atLeast', 'orphaned']);
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Problem', 'Chain', 'Block', 'Transaction', 'TransactionSummary', 'Reorg', 'Backfill']));
  });

  describe('commands', () => {
    it('a backfill: accepted, with the address of its progress', async () => {
      const response = await post('/chains/1/backfills', { from: 3, to: 9 }, { 'idempotency-key': 'key-1', 'if-match': '"8.abc"' });
      expect([response.statusCode, response.headers.location]).toEqual([202, '/api/v1/chains/1/backfills/3-9']);
      expect(backfillRequested.parse(response.json())).toMatchObject({ id: '3-9', position: 'xtest:000000000000042' });
      expect(asked).toMatchObject([{ chainId: '1', command: { type: 'RequestBackfill', from: 3, to: 9 }, options: { commandId: 'key-1', expectedRevision: 8 } }]);
    });

    const repeatOf = (type: string, data: object) => () => ({ revision: 9, position: 'xtest:000000000000042' as Position, events: [{ type, data: { chainId: '1', ...data } } as never], repeated: true });

    it('a repeat with the same key and content: the first answer again', async () => {
      answerCommand = repeatOf('BackfillRequested', { from: 0, to: 2 });
      const backfill = await post('/chains/1/backfills', { from: 0, to: 2 }, { 'idempotency-key': 'k9' });
      expect([backfill.statusCode, backfill.json()]).toEqual([202, expect.objectContaining({ id: '0-2', repeated: true })]);
      answerCommand = repeatOf('ChainResumed', { reason: 'checked' });
      expect((await post('/chains/1/resume', { reason: 'checked' }, { 'idempotency-key': 'k9' })).statusCode).toBe(200);
      answerCommand = repeatOf('BackfillCancelled', { from: 0, to: 2, reason: 'pruned' });
      expect((await post('/chains/1/backfills/0-2/cancel', { reason: 'pruned' }, { 'idempotency-key': 'k9' })).statusCode).toBe(200);
    });

    it.each([
      ['/chains/1/backfills', { from: 3, to: 4 }, 'BackfillRequested', { from: 0, to: 2 }],
      ['/chains/1/backfills', { from: 0, to: 2 }, 'ChainResumed', { reason: 'x' }],
      ['/chains/1/resume', { reason: 'y' }, 'ChainResumed', { reason: 'x' }],
      ['/chains/1/backfills/0-2/cancel', { reason: 'x' }, 'BackfillCancelled', { from: 3, to: 4, reason: 'x' }],
    ])('409 for %s with %j under the key of another command, which is named, for nothing of it was recorded', async (path, body, type, data) => {
      answerCommand = repeatOf(type, data);
      const response = await post(path, body, { 'idempotency-key': 'k9' });
      expect([response.statusCode, response.headers.location]).toEqual([409, undefined]);
      expect(response.json()).toMatchObject({ code: 'idempotency-key-reused', facts: { key: 'k9', first: { type, ...data } }, hint: expect.stringContaining('new key') });
    });

    it('the progress of a backfill', async () => {
      await happens([...new ChainScene('1').backfillRequested(3, 9).backfillStarted(3, 9).events.slice(1)]);
      await read.caughtUp();
      expect(await shown('/chains/1/backfills/3-9', backfillAnswer)).toMatchObject({ state: 'running', done: 0, total: 7, percent: 0, etaSeconds: null });
    });

    it('a backfill to be taken back, with its reason', async () => {
      const response = await post('/chains/1/backfills/3-9/cancel', { reason: ' no provider has it ' }, { 'idempotency-key': 'key-2' });
      expect([response.statusCode, commandAnswer.parse(response.json()).revision]).toEqual([200, 9]);
      expect(asked).toMatchObject([{ chainId: '1', command: { type: 'CancelBackfill', from: 3, to: 9, reason: 'no provider has it' }, options: { commandId: 'key-2' } }]);
    });

    it('shown as cancelled then, until the same range is asked for again', async () => {
      await happens(new ChainScene('1').backfillRequested(0, 9).backfillStarted(0, 9).backfilled(0, 9, '0a').backfillCancelled(0, 9, 'pruned').events.slice(1));
      await read.caughtUp();
      const cancelled = { state: 'cancelled', done: 1, cancelledAt: expect.any(String), cancelReason: 'pruned', etaSeconds: null };
      expect(await shown('/chains/1/backfills/0-9', backfillAnswer)).toMatchObject(cancelled);
      expect((await shown('/chains/1/backfills', backfillList)).items).toMatchObject([cancelled]);
      await happens(new ChainScene('1').backfillRequested(0, 9).events.slice(1));
      await read.caughtUp();
      expect(await shown('/chains/1/backfills/0-9', backfillAnswer)).toMatchObject({ state: 'running', done: 1, cancelledAt: null, cancelReason: null });
    });

    it.each([
      ['/chains/1/backfills/3-9/cancel', {}, '/body/reason'],
      ['/chains/1/backfills/3-9/cancel', { reason: ' ' }, '/body/reason'],
      ['/chains/1/backfills/9-3/cancel', { reason: 'x' }, '/path/backfill'],
    ])('refuse to cancel at %s with %j', async (path, body, pointer) => {
      const response = await post(path, body);
      expect([response.statusCode, response.json().errors[0].pointer]).toEqual([400, pointer]);
      expect(asked).toEqual([]);
    });

    it.each([
      [{ from: 5, to: 9 }, 'backfill-ahead', 'Blocks from 5 on are captured by following the head.'],
      [{ from: 5, to: 9_000_000_000_000_000 }, 'backfill-ahead', 'Blocks from 5 on are captured by following the head.'],
      [{ from: 0, to: 9_000_000_000_000_000 }, 'backfill-overlaps', 'Leave out blocks 2 to 4.'],
    ])('409 with the way out for %j, which nobody may reserve ahead of the head', async (body, code, hint) => {
      answerCommand = ({ command }) => chainDecider().decide(command, followedFrom(2, 4), {} as never) as never;
      const response = await post('/chains/1/backfills', body);
      expect([response.statusCode, response.json().code, response.json().hint]).toEqual([409, code, hint]);
    });

    it('a stopped chain to go on', async () => {
      const response = await post('/chains/1/resume', { reason: ' checked by hand ' });
      expect([response.statusCode, commandAnswer.parse(response.json()).revision]).toEqual([200, 9]);
      expect(asked).toMatchObject([{ command: { type: 'ResumeChain', reason: 'checked by hand' } }]);
    });

    it('412 when the resource has moved, 409 when it does not fit, 429 with when to come again', async () => {
      const trouble = (code: string, kind: ChainfoldError['kind']) => () => {
        throw new ChainfoldError('No', { code, kind });
      };
      const answers: [number, string | undefined][] = [];
      for (const [code, kind] of [['revision-mismatch', 'conflict'], ['backfill-overlaps', 'conflict'], ['overloaded', 'throttled'], ['chain-unknown', 'missing']] as const) {
        answerCommand = trouble(code, kind);
        const response = await post('/chains/1/backfills', { from: 1, to: 2 });
        answers.push([response.statusCode, response.headers['retry-after']]);
      }
      expect(answers).toEqual([[412, undefined], [409, undefined], [429, '1'], [404, undefined]]);
    });

    it.each([
      [{}, '/body/from'],
      [{ from: 1 }, '/body/to'],
      [{ from: '1', to: 2 }, '/body/from'],
      [{ from: -1, to: 2 }, '/body/from'],
      [{ from: 1.5, to: 2 }, '/body/from'],
      [{ from: 2 ** 60, to: 2 ** 60 }, '/body/from'],
      [{ from: 1, to: 2 ** 53 }, '/body/to'],
      [{ from: 9, to: 2 }, '/body/from'],
      [{ from: 1, to: 2, force: true }, '/body/force'],
      [[], '/body'],
      [null, '/body'],
    ])('refuse %j and point to %s, with nothing told to the actor', async (body, pointer) => {
      const response = await post('/chains/1/backfills', body);
      expect([response.statusCode, response.json().errors[0].pointer.startsWith(pointer)]).toEqual([400, true]);
      expect(asked).toEqual([]);
    });

    it.each([['if-match', '57', '/header/If-Match'], ['if-match', 'W/"57"', '/header/If-Match'], ['idempotency-key', 'x'.repeat(201), '/header/Idempotency-Key']])('refuse the header %s: %s', async (name, value, pointer) => {
      const response = await post('/chains/1/resume', { reason: 'x' }, { [name]: value });
      expect([response.statusCode, response.json().errors[0].pointer]).toEqual([400, pointer]);
    });

    it('refuse a form of a foreign web page', async () => {
      const response = await server().inject({ method: 'POST', url: '/api/v1/chains/1/resume', payload: 'reason=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      expect([response.statusCode, response.json().code]).toEqual([415, 'media-type-unsupported']);
      expect(asked).toEqual([]);
    });

    it('refuse text that is not JSON, and more of it than a command needs', async () => {
      const json = { 'content-type': 'application/json' };
      const broken = await server().inject({ method: 'POST', url: '/api/v1/chains/1/resume', payload: '{"reason": ', headers: json });
      expect([broken.statusCode, broken.json().code, broken.headers['content-type']]).toEqual([400, 'body-malformed', 'application/problem+json; charset=utf-8']);
      const huge = await server().inject({ method: 'POST', url: '/api/v1/chains/1/resume', payload: JSON.stringify({ reason: 'x'.repeat(2_000_000) }), headers: json });
      expect([huge.statusCode, huge.json().code]).toEqual([413, 'body-too-large']);
      expect(asked).toEqual([]);
    });
  });

  describe('versions', () => {
    it('a read has an ETag, and 304 goes to who has that version', async () => {
      const first = await get('/chains/1/blocks/1');
      const again = await get('/chains/1/blocks/1', { 'if-none-match': `"other", W/${first.headers.etag as string}` });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', first.headers.etag]);
    });

    it('stays the same while other things happen, and changes with what is shown', async () => {
      const [one, four] = [await get('/chains/1/blocks/1'), await get('/chains/1/blocks/4')];
      await happens(new ChainScene().finalized('4b').events.slice(1));
      await read.caughtUp();
      expect((await get('/chains/1/blocks/1')).headers.etag).toBe(one.headers.etag);
      expect((await get('/chains/1/blocks/1')).json().asOf).not.toBe(one.json().asOf);
      expect((await get('/chains/1/blocks/4')).headers.etag).not.toBe(four.headers.etag);
    });

    it('of a chain names its revision, which If-Match takes', async () => {
      const { headers, body } = await get('/chains/1');
      expect(headers.etag).toMatch(new RegExp(`^"${(JSON.parse(body) as { revision: number }).revision}\\.`));
      expect((await post('/chains/1/resume', { reason: 'x' }, { 'if-match': headers.etag as string })).statusCode).toBe(200);
    });

    it('waits for a position, and says so when it does not come', async () => {
      const head = await read.log.head();
      expect((await get(`/chains/1?atLeast=${head}`)).statusCode).toBe(200);
      const [, number] = head.split(':');
      const ahead = `xtest:${String(Number(number) + 1).padStart(15, '0')}`;
      const arriving = get(`/chains/1?atLeast=${ahead}`);
      await happens(new ChainScene().safe('3b').events.slice(1));
      expect((await arriving).json()).toMatchObject({ asOf: ahead, safe: { number: 3 } });
      await refused(`/chains/1?atLeast=xtest:000000000099999`, 503, { code: 'position-not-reached', retryable: true });
    });
  });

  describe('refuses with the name of the field and the way out:', () => {
    it.each([
      ['/chains/2', 'chain-unknown', { chainId: '2' }],
      ['/chains/2/blocks', 'chain-unknown', { chainId: '2' }],
      ['/chains/2/blocks/latest', 'chain-unknown', { chainId: '2' }],
      [`/chains/2/transactions/${txHash('x')}`, 'chain-unknown', { chainId: '2' }],
      [`/chains/2/addresses/${alice}/transactions`, 'chain-unknown', { chainId: '2' }],
      ['/chains/2/reorgs', 'chain-unknown', { chainId: '2' }],
      ['/chains/2/backfills', 'chain-unknown', { chainId: '2' }],
      ['/chains/1/blocks/99', 'block-unknown', { block: '99' }],
      [`/chains/1/blocks/${blockHash('nobody')}`, 'block-unknown', { block: blockHash('nobody') }],
      ['/chains/1/blocks/99/transactions', 'block-unknown', { block: '99' }],
      [`/chains/1/transactions/${txHash('nobody')}`, 'transaction-unknown', { hash: txHash('nobody') }],
      ['/chains/1/backfills/5-6', 'backfill-unknown', { backfill: '5-6' }],
    ])('404 for %s', async (path, code, facts) => {
      await refused(path, 404, { code, facts, hint: expect.any(String) });
    });

    it.each([
      ['/chains/x', '/path/chainId'],
      ['/chains/-1', '/path/chainId'],
      ['/chains/01', '/path/chainId'],
      ['/chains/1e3', '/path/chainId'],
      [`/chains/${'9'.repeat(79)}`, '/path/chainId'],
      ['/chains/__proto__', '/path/chainId'],
      [`/chains/1'%20OR%201=1--`, '/path/chainId'],
      ['/chains/%00', '/path/chainId'],
      ['/chains/1/blocks/0x12', '/path/block'],
      ['/chains/1/blocks/-5', '/path/block'],
      ['/chains/1/blocks/1.5', '/path/block'],
      ['/chains/1/blocks/9999999999999999', '/path/block'],
      ['/chains/1/blocks/earliest', '/path/block'],
      ['/chains/1/blocks/%3Cscript%3E', '/path/block'],
      ['/chains/1/transactions/0xzz', '/path/hash'],
      [`/chains/1/transactions/${txHash('x')}0`, '/path/hash'],
      ['/chains/1/addresses/0x12/transactions', '/path/address'],
      [`/chains/1/addresses/${alice}zz/transactions`, '/path/address'],
      ['/chains/1/blocks?limit=0', '/query/limit'],
      ['/chains/1/blocks?limit=501', '/query/limit'],
      ['/chains/1/blocks?limit=ten', '/query/limit'],
      ['/chains/1/blocks?limit=1e2', '/query/limit'],
      ['/chains/1/blocks?limit=', '/query/limit'],
      ['/chains/1/blocks?limit=1&limit=2', '/query/limit'],
      ['/chains/1/blocks?order=up', '/query/order'],
      ['/chains/1/blocks?orphaned=1', '/query/orphaned'],
      ['/chains/1/blocks?ordre=asc', '/query/ordre'],
      ['/chains/1/blocks?after=', '/query/after'],
      ['/chains/1/blocks?after=nonsense', '/query/after'],
      ['/chains/1/blocks?after=bnVsbA', '/query/after'],
      [`/chains/1/blocks?after=${'A'.repeat(5000)}`, '/query/after'],
      [`/chains/1/blocks?after=${Buffer.from('["blocks",1e400,"0x"]').toString('base64url')}`, '/query/after'],
      [`/chains/1/blocks?after=${Buffer.from('["reorgs",1]').toString('base64url')}`, '/query/after'],
      ['/chains/1/blocks?atLeast=%27', '/query/atLeast'],
      ['/chains/1/backfills/9-3', '/path/backfill'],
      ['/chains/1/backfills/all', '/path/backfill'],
    ])('400 for %s, pointing to %s', async (path, pointer) => {
      await refused(path, 400, { code: 'request-invalid', errors: [{ pointer, detail: expect.any(String) }] });
    });

    it('a cursor of an address whose values were changed by hand', async () => {
      const forged = Buffer.from(JSON.stringify(['address-transactions', 'x', {}, blockHash('1a')])).toString('base64url');
      await refused(`/chains/1/addresses/${alice}/transactions?after=${forged}`, 400, { errors: [{ pointer: '/query/after' }] });
    });

    it('a cursor of the transactions of another block, but not one of a block that a tag named before', async () => {
      const { next } = await shown('/chains/1/blocks/4/transactions?limit=3', blockTransactionList);
      for (const other of ['1', blockHash('1a')]) {
        await refused(`/chains/1/blocks/${other}/transactions?after=${next}`, 400, { code: 'request-invalid', errors: [{ pointer: '/query/after', detail: expect.stringContaining('block 4') }] });
      }
      for (const same of ['4', blockHash('4b'), 'finalized']) expect((await get(`/chains/1/blocks/${same}/transactions?after=${next}`)).statusCode).toBe(200);
    });

    it.each([
      ['GET', '/chains/1?atLeast=garbage', undefined, '/query/atLeast'],
      ['GET', '/chains/1/blocks?atLeast=garbage', undefined, '/query/atLeast'],
      ['GET', '/chains/1?atLeast=', undefined, '/query/atLeast'],
      ['GET', `/chains/1?atLeast=${'x'.repeat(101)}`, undefined, '/query/atLeast'],
      ['POST', '/chains/1/backfills', 'null', '/body'],
      ['POST', '/chains/1/backfills', '[]', '/body'],
      ['POST', '/chains/1/resume', '{}', '/body/reason'],
    ] as const)('%s %s with the body %s, in words of ours', async (method, url, payload, pointer) => {
      const response = await server().inject({ method, url: `/api/v1${url}`, ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }) });
      expect([response.statusCode, response.json().errors.map((field: { pointer: string }) => field.pointer)]).toEqual([400, [pointer]]);
      expect(response.body).not.toMatch(/Too (small|big)|expected|Invalid input/);
    });

    it.each([['not a position', '400'], ['zother:000000000000001', '409']])('the position %s', async (position, status) => {
      const response = await get(`/chains/1?atLeast=${encodeURIComponent(position)}`);
      expect([String(response.statusCode), response.json().type]).toEqual([status, expect.stringMatching(/^urn:chainfold:problem:/)]);
    });

    it('an address that nothing serves, and a method that it does not take', async () => {
      await refused('/chains/1/nothing', 404, { code: 'route-unknown' });
      const wrong = await server().inject({ method: 'DELETE', url: '/api/v1/chains/1/blocks/1' });
      expect([wrong.statusCode, wrong.headers.allow, wrong.json().code]).toEqual([405, 'GET', 'method-not-allowed']);
      const both = await server().inject({ method: 'PUT', url: '/api/v1/chains/1/backfills' });
      expect([both.statusCode, both.headers.allow]).toEqual([405, 'GET, POST']);
    });

    it('an address that is no address, or too long a one', async () => {
      await refused('/chains/%zz', 400, { code: 'url-malformed' });
      await refused(`/chains/${'1'.repeat(300)}`, 414, { code: 'url-too-long' });
    });
  });
});

async function serving(read: Projected, board: CaptureStatusBoard, accessTokens: readonly AccessToken[] = []): Promise<NestFastifyApplication> {
  const explorer = new SqliteChainExplorer(read.store, read.log, clock);
  const names: ChainNames = { nameOf: (chainId) => (chainId === '1' ? 'Testnet' : undefined), planOf: () => undefined };
  const module = await Test.createTestingModule({
    imports: [CqrsModule.forRoot(), HttpModule.register({ info: { title: 'test', version: '1', description: '' }, accessTokens })],
    controllers: [...chainControllers],
    providers: [
      ...chainApiProviders,
      ActorStandIn,
      { provide: ChainExplorer, useValue: explorer },
      { provide: ChainOverview, useValue: new ChainOverview(explorer, board, names, clock) },
    ],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { logger: false });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  expect(app.get(CommandBus)).toBeDefined();
  return app;
}

function followedFrom(first: number, last: number): Chain {
  const { decide, evolve, initialState } = chainDecider();
  const scene = new ChainScene();
  let chain = evolve(initialState(), { type: 'ChainStarted', data: { chainId: '1', genesisHash: blockHash('0a'), firstBlock: first } });
  for (let number = first; number <= last; number += 1) {
    const block = { ...scene.block(`${number}a`, []), parentHash: blockHash(`${number - 1}a`) };
    for (const event of decide({ type: 'ObserveBlocks', blocks: [block] }, chain, {} as never)) chain = evolve(chain, event);
  }
  return chain;
}

/** 0 to 2, then 3a replaced by 3b, then 4b with 60 transactions. */
function story(stopped = false): ChainScene {
  const odd: SceneTransaction = { name: 'odd', more: { gasPrice: null, mint: { deep: ['0xAb'] } }, receiptMore: { l1Fee: '0x1', type: '0x7e' } };
  const scene = new ChainScene().observed('0a').observed('1a', [{ name: 'first' }, { name: 'new', to: null }]).observed('2a', [odd]);
  scene.observed('3a', [{ name: 'moved' }, { name: 'lost' }]);
  scene.onBranch('3b', [...many('3b', 2), { name: 'moved' }]).reorganized('2a', ['3a'], ['3b']).observed('4b', many('4b', 60));
  scene.safe('2a').finalized('1a').body('5x', [{ name: 'unseen' }]);
  return stopped ? scene.stopped('deep-reorg', 'below finalized') : scene;
}
