import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#platform/kernel';
import { describeWithFixtures } from '#platform/testing';
import { type Scripted, ScriptedProvider } from '../../../../../test/keys/scripted-provider.ts';
import type { NodeRefused, RefusalMeaning } from '../ports/chain-node.errors.ts';
import { isObject, meaningOf, readRefusal, refusalError } from './chain-node-refusals.ts';
import type { RpcTransport } from './chain-node-transport.ts';
import { HttpTransport } from './http.chain-node-transport.ts';
import { WebSocketTransport } from './websocket.chain-node-transport.ts';

interface Recorded {
  readonly id: string;
  readonly http_status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly meaning: string;
}

const OURS: Readonly<Record<string, RefusalMeaning>> = {
  throttled: 'throttled',
  quota_exhausted: 'exhausted',
  range_too_large: 'split',
  lagging: 'lagging',
  down: 'down',
  key_dead_or_forbidden: 'revoked',
  method_unsupported: 'unsupported',
  bad_request: 'refused',
  call_reverted: 'refused',
};
/** Their reading is the client library's; ours follows the words: a smaller range, or a later moment, succeeds. */
const READ_OTHERWISE: Readonly<Record<string, RefusalMeaning>> = { 'reth-51': 'split', 'geth-57': 'lagging' };

/** Closes a WebSocket with these words; it never is the answer to a call. */
const CLOSES_A_SOCKET = 1_008;

describeWithFixtures('what providers said when they refused', (dir) => {
  const { answers } = JSON.parse(readFileSync(join(dir, 'provider-errors/answers.json'), 'utf8')) as { answers: Recorded[] };
  const meant = (answer: Recorded): RefusalMeaning | undefined => READ_OTHERWISE[answer.id] ?? OURS[answer.meaning];
  const named = (some: readonly Recorded[]) => some.map((answer) => [answer.id, answer] as const);
  /** As the provider's own object in the place of `error`; undefined where what came is no object at all. */
  const errorOf = ({ body }: Recorded): object | string | undefined => {
    const one: unknown = Array.isArray(body) ? body[0] : body;
    if (!isObject(one)) return undefined;
    return (one['error'] ?? one);
  };
  /** What is no JSON stands in no item. */
  const inItems = answers.filter((answer) => errorOf(answer) !== undefined);

  let provider: ScriptedProvider;
  let transport: RpcTransport | undefined;
  beforeEach(async () => (provider = await ScriptedProvider.start()));
  afterEach(async () => {
    await transport?.close();
    transport = undefined;
    await provider.close();
  });

  const CALLS = [1, 2, 3].map((number) => ({ method: 'eth_test', params: [number] }));
  const says = (answer: Scripted): void => void provider.scripts.push(() => answer);
  const overHttp = (): RpcTransport => (transport = new HttpTransport(provider.httpUrl('key'), { requestTimeoutMs: 5_000 }));
  const overWebSocket = (): RpcTransport => (transport = new WebSocketTransport(provider.wsUrl('key'), systemClock, { requestTimeoutMs: 5_000 }));
  const meaning = async (node: RpcTransport, calls = CALLS.slice(0, 1), at = 0): Promise<RefusalMeaning | undefined> => {
    const reply = await node.send(calls).catch((error: unknown) => error as NodeRefused);
    if (reply instanceof Error) return reply.meaning;
    if (reply.kind === 'refused') return meaningOf(reply.refusal);
    expect(reply.answers.filter((answer) => answer?.ok === true)).toHaveLength(calls.length - 1);
    const answer = reply.answers[at];
    return answer?.ok === false ? meaningOf(answer.refusal) : undefined;
  };

  it.each(named(answers))('%s is understood', (_, answer) => {
    const refusal = readRefusal(answer.body, answer.http_status ?? undefined, answer.headers['Retry-After']);
    expect(meaningOf(refusal)).toBe(meant(answer));
  });

  it.each(named(answers))('%s is understood over HTTP, with the wait that it asks for', async (_, answer) => {
    const isJson = typeof answer.body !== 'string';
    // Where no status is known: what stands in the body alone, in an answer that went well.
    says({ status: answer.http_status ?? (isJson ? 200 : 500), headers: answer.headers, body: answer.http_status === null ? { jsonrpc: '2.0', id: null, error: errorOf(answer) } : answer.body });
    const node = overHttp();
    expect(await meaning(node)).toBe(meant(answer));
    const reply = await node.send(CALLS);
    expect(reply).toMatchObject({ kind: 'refused', refusal: { waitMs: readRefusal(answer.body, undefined, answer.headers['Retry-After']).waitMs } });
    expect(reply.providerTime).toEqual(expect.any(Number));
  });

  it.each(named(inItems))('%s is understood as an item of a batch', async (_, answer) => {
    says({ items: (_call, at) => (at === 1 ? (errorOf(answer) as object) : undefined) });
    expect(await meaning(overHttp(), CALLS, 1)).toBe(meant(answer));
  });

  it.each(named(inItems.filter(({ body }) => !(isObject(body) && body['code'] === CLOSES_A_SOCKET))))('%s is understood on a WebSocket, alone and in a batch', async (_, answer) => {
    const error = errorOf(answer) as object;
    says({ items: (_call, at) => (at === 0 ? error : undefined) });
    const node = overWebSocket();
    expect(await meaning(node)).toBe(meant(answer));
    expect(await meaning(node, CALLS)).toBe(meant(answer));
  });

  it.each(named(answers.filter(({ body }) => isObject(body) && body['code'] === CLOSES_A_SOCKET)))('%s is understood where it closes a WebSocket', async (_, answer) => {
    says({ closes: CLOSES_A_SOCKET, reason: (answer.body as { message: string }).message.slice(0, 120) });
    expect(await meaning(overWebSocket())).toBe(meant(answer));
  });

  it.each(named(answers.filter(({ http_status: status }) => [401, 402, 403, 429].includes(status ?? 0))))('%s is understood at the door of a WebSocket', async (_, answer) => {
    provider.door = () => ({ status: answer.http_status as number, body: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body) });
    expect(await meaning(overWebSocket())).toBe(meant(answer));
  });
});

describe('a refusal', () => {
  it.each([
    ['geth before the merge', { code: -39001, message: 'Unknown block' }, 'absent'],
    ['geth without a forkchoice', { code: -32000, message: 'safe block not found' }, 'absent'],
    ['geth, a batch too large', { code: -32600, message: 'batch too large' }, 'split'],
    ['geth, an answer too large', { code: -32003, message: 'response too large' }, 'split'],
    ['pruned history', { code: 4444, message: 'pruned history unavailable' }, 'pruned'],
    ['a replica behind', { code: -32603, message: 'Block 123 not processed yet' }, 'lagging'],
    ['a node without block receipts', { code: -32601, message: 'the method eth_getBlockReceipts does not exist/is not available' }, 'unsupported'],
  ] as const)('of %s is %s', (_who, error, meaning) => {
    expect(meaningOf(readRefusal({ error }, 200))).toBe(meaning);
  });

  it('carries the longest wait that header and body ask for', () => {
    const body = { error: { code: -32005, message: 'slow down', data: { backoff_seconds: 3, rate: { backoff_seconds: 30 } } } };
    expect(readRefusal(body, 429, '7').waitMs).toBe(30_000);
    expect(readRefusal({ error: { code: 429, message: 'x' } }, 429, '7').waitMs).toBe(7_000);
  });

  it.each([
    ['Retry-After', {}, '52', 52_000],
    ['data.backoff_seconds', { data: { backoff_seconds: 30 } }, undefined, 30_000],
    ['data.rate.backoff_seconds', { data: { rate: { backoff_seconds: 1.5 } } }, undefined, 1_500],
    ['words', { message: 'rate limited, try again in 4ms' }, undefined, 4],
    ['a wait of nothing, which is as good as none', { data: { backoff_seconds: 0, rate: { backoff_seconds: 0 } } }, '0', undefined],
    ['a wait that is no number', { data: { backoff_seconds: 'soon', rate: 7 } }, 'whenever', undefined],
  ])('asks for a wait by %s', (_, more, retryAfter, waitMs) => {
    expect(readRefusal({ error: { code: -32005, message: 'slow down', ...more } }, 429, retryAfter).waitMs).toBe(waitMs);
  });

  it('never shows the key that stood in the address', () => {
    const url = 'https://user:pa55@eth-mainnet.example.org/v2/SECRETKEY123?token=tok987';
    const error = refusalError(readRefusal({ error: { code: -32000, message: `bad request to ${url} for SECRETKEY123, tok987` } }), 'eth_chainId', 'label', url);
    expect(JSON.stringify([error.message, error.facts, error.hint])).not.toMatch(/SECRETKEY123|tok987|pa55/);
  });
});

it('a refusal with nothing in it is told by its HTTP status', () => {
  expect(refusalError(readRefusal('', 503), 'eth_chainId', 'node', 'http://node').facts).toMatchObject({ message: 'HTTP 503 without a word of why', status: 503 });
});
