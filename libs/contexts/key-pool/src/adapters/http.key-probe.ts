import { Agent, request } from 'undici';
import { type AnswerClass, costOf, type KeyPurse, sharedNow, type Tariff } from '../contracts/index.ts';
import { KeyProbe, type KeyProbeResult } from '../ports/key-desk.port.ts';
import { KeyUnknown } from '../ports/key-pool.errors.ts';

export interface ProbedKey {
  readonly alias: string;
  readonly tariff: Tariff;
  /** One for each secret, which it holds; none where no chain of ours is served by it. */
  readonly httpUrls: readonly string[];
}

type Method = 'eth_chainId' | 'eth_blockNumber';
/** Four such waits in a row are shorter than what the command line waits for its answer. */
const PATIENCE_MS = 6_000;

/** Two small calls on each secret of a key, each with a permit. A revoked key is given another try by it. */
export class HttpKeyProbe extends KeyProbe {
  readonly #purse: KeyPurse;
  readonly #keys: () => readonly ProbedKey[];
  readonly #reopen: (alias: string) => Promise<void>;
  readonly #agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });

  constructor(purse: KeyPurse, keys: () => readonly ProbedKey[], reopen: (alias: string) => Promise<void>) {
    super();
    this.#reopen = reopen;
    this.#purse = purse;
    this.#keys = keys;
  }

  async probe(alias: string): Promise<KeyProbeResult> {
    const keys = this.#keys();
    const key = keys.find((known) => known.alias === alias);
    if (key === undefined) throw new KeyUnknown(alias, keys.map((known) => known.alias));
    const unasked = { alias, ok: false, ms: 0, chainId: null, head: null };
    if (key.httpUrls.length === 0) return { ...unasked, class: 'other', message: 'Its provider serves none of the chains that are captured here.' };
    await this.#reopen(alias);
    const results: KeyProbeResult[] = [];
    for (const url of key.httpUrls) results.push(await this.#one(key, url, results.length + 1 < key.httpUrls.length || results.some(({ ok }) => ok)));
    const [first, ...more] = results.flatMap((result, place) => (result.ok ? [] : [{ ...result, message: `${results.length === 1 ? '' : `secret ${place + 1} of ${results.length}: `}${result.message ?? result.class}` }]));
    return first === undefined ? (results.at(-1) as KeyProbeResult) : { ...first, message: [first, ...more].map(({ message }) => message).join('; ') };
  }

  /** `hasAnother`: if this one is refused, another secret of the key may be good. */
  async #one(key: ProbedKey, url: string, hasAnother: boolean): Promise<KeyProbeResult> {
    const { alias } = key;
    const chain = await this.#ask(key, url, 'eth_chainId', hasAnother);
    const head = chain.class === 'ok' ? await this.#ask(key, url, 'eth_blockNumber', hasAnother) : chain;
    if (head.class !== 'ok') return { alias, ok: false, ms: chain.ms, chainId: null, head: null, class: head.class, message: head.message };
    return { alias, ok: true, ms: Math.min(chain.ms, head.ms), chainId: BigInt(chain.result).toString(), head: Number(head.result), class: 'ok' };
  }

  async #ask(key: ProbedKey, url: string, method: Method, hasAnother: boolean): Promise<{ readonly class: AnswerClass | 'no budget' | 'unanswered'; readonly ms: number; readonly result: string; readonly message: string }> {
    const { provider } = key.tariff;
    const none = { ms: 0, result: '0x0' };
    let permit;
    try {
      permit = await this.#purse.acquire({ provider, key: key.alias, cost: costOf(key.tariff, [method]), calls: { [method]: 1 }, chainId: '', lane: 'head', patienceMs: PATIENCE_MS });
    } catch (error) {
      return { ...none, class: 'no budget', message: error instanceof Error ? error.message : String(error) };
    }
    const sentAt = sharedNow();
    try {
      const { statusCode, body } = await request(url, { method: 'POST', dispatcher: this.#agent, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }) });
      const answer = resultIn(await body.text());
      const answeredAt = sharedNow();
      const seen = classOf(statusCode, answer);
      this.#purse.settle(permit, { kind: 'answered', class: seen, sentAt, answeredAt, ...(seen === 'revoked' && hasAnother ? { hasAnother } : {}) });
      return { class: seen, ms: inTenths(answeredAt - sentAt), result: answer ?? '0x0', message: `HTTP ${statusCode}` };
    } catch {
      this.#purse.settle(permit, { kind: 'unanswered', sentAt });
      return { ...none, class: 'unanswered', message: 'No answer came.' };
    }
  }
}

function inTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function resultIn(text: string): string | undefined {
  try {
    const { result } = JSON.parse(text) as { readonly result?: unknown };
    return typeof result === 'string' && /^0x[0-9a-f]+$/i.test(result) ? result : undefined;
  } catch {
    return undefined;
  }
}

function classOf(status: number, result: string | undefined): AnswerClass {
  if (status === 401 || status === 403) return 'revoked';
  if (status === 402) return 'exhausted';
  if (status === 429) return 'throttled';
  if (status >= 500) return 'down';
  return result === undefined ? 'other' : 'ok';
}
