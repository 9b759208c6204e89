import { Agent, request } from 'undici';
import { type AnswerClass, costOf, type KeyPurse, sharedNow, type Tariff } from '../contracts/index.ts';
import { KeyProbe, type KeyProbeResult } from '../ports/key-desk.port.ts';
import { KeyUnknown } from '../ports/key-pool.errors.ts';

export interface ProbedKey {
  readonly alias: string;
  readonly tariff: Tariff;
  /** Holds the secret; undefined where no chain of ours is served by it. */
  readonly httpUrl: string | undefined;
}

type Method = 'eth_chainId' | 'eth_blockNumber';
/** Four such waits in a row are shorter than what the command line waits for its answer. */
const PATIENCE_MS = 6_000;

/** Two small calls on one key, each with a permit. */
export class HttpKeyProbe extends KeyProbe {
  readonly #purse: KeyPurse;
  readonly #keys: () => readonly ProbedKey[];
  readonly #agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });

  constructor(purse: KeyPurse, keys: () => readonly ProbedKey[]) {
    super();
    this.#purse = purse;
    this.#keys = keys;
  }

  async probe(alias: string): Promise<KeyProbeResult> {
    const keys = this.#keys();
    const key = keys.find((known) => known.alias === alias);
    if (key === undefined) throw new KeyUnknown(alias, keys.map((known) => known.alias));
    const unasked = { alias, ok: false, ms: 0, chainId: null, head: null };
    if (key.httpUrl === undefined) return { ...unasked, class: 'other', message: 'Its provider serves none of the chains that are captured here.' };
    const chain = await this.#ask(key, key.httpUrl, 'eth_chainId');
    const head = chain.class === 'ok' ? await this.#ask(key, key.httpUrl, 'eth_blockNumber') : chain;
    if (head.class !== 'ok') return { ...unasked, ms: chain.ms, class: head.class, message: head.message };
    return { alias, ok: true, ms: Math.round(Math.min(chain.ms, head.ms) * 10) / 10, chainId: BigInt(chain.result).toString(), head: Number(head.result), class: 'ok' };
  }

  async #ask(key: ProbedKey, url: string, method: Method): Promise<{ readonly class: AnswerClass | 'no budget' | 'unanswered'; readonly ms: number; readonly result: string; readonly message: string }> {
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
      this.#purse.settle(permit, { kind: 'answered', class: seen, sentAt, answeredAt });
      return { class: seen, ms: answeredAt - sentAt, result: answer ?? '0x0', message: `HTTP ${statusCode}` };
    } catch {
      this.#purse.settle(permit, { kind: 'unanswered', sentAt });
      return { ...none, class: 'unanswered', message: 'No answer came.' };
    }
  }
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
