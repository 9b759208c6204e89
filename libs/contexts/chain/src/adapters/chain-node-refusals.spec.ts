import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithFixtures } from '#platform/testing';
import type { RefusalMeaning } from '../ports/chain-node.errors.ts';
import { meaningOf, readRefusal, refusalError } from './chain-node-refusals.ts';

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

describeWithFixtures('what providers said when they refused', (dir) => {
  const { answers } = JSON.parse(readFileSync(join(dir, 'provider-errors/answers.json'), 'utf8')) as { answers: Recorded[] };

  it.each(answers.map((answer) => [answer.id, answer] as const))('%s is understood', (id, answer) => {
    const refusal = readRefusal(answer.body, answer.http_status ?? undefined, answer.headers['Retry-After']);
    expect(meaningOf(refusal)).toBe(READ_OTHERWISE[id] ?? OURS[answer.meaning]);
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

  it('never shows the key that stood in the address', () => {
    const url = 'https://user:pa55@eth-mainnet.example.org/v2/SECRETKEY123?token=tok987';
    const error = refusalError(readRefusal({ error: { code: -32000, message: `bad request to ${url} for SECRETKEY123, tok987` } }), 'eth_chainId', 'label', url);
    expect(JSON.stringify([error.message, error.facts, error.hint])).not.toMatch(/SECRETKEY123|tok987|pa55/);
  });
});

it('a refusal with nothing in it is told by its HTTP status', () => {
  expect(refusalError(readRefusal('', 503), 'eth_chainId', 'node', 'http://node').facts).toMatchObject({ message: 'HTTP 503 without a word of why', status: 503 });
});
