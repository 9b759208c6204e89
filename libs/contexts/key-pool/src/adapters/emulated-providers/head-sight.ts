import type { EnvelopeCall } from './rpc-envelope.ts';
import type { UpstreamNode } from './upstream-node.ts';

interface Seen {
  readonly at: number;
  readonly number: number;
  readonly hash: string;
}

const BY_BLOCK = new Set(['eth_getBlockByNumber', 'eth_getBlockByHash', 'eth_getBlockReceipts']);
const MOST_SEEN = 1_000;

/** Which blocks are so new that a provider that lags does not know them yet. What was there at the first look is old. */
export class HeadSight {
  readonly #upstream: UpstreamNode;
  readonly #clock: { monotonic(): number };
  readonly #seen: Seen[] = [];

  constructor(upstream: UpstreamNode, clock: { monotonic(): number }) {
    this.#upstream = upstream;
    this.#clock = clock;
  }

  async look(): Promise<void> {
    const { bytes } = await this.#upstream.ask(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]}'));
    const { result } = JSON.parse(bytes.toString()) as { result?: { number: string; hash: string } | null };
    if (result === undefined || result === null || this.#seen.some(({ hash }) => hash === result.hash)) return;
    this.#seen.push({ at: this.#seen.length === 0 ? -Infinity : this.#clock.monotonic(), number: Number(result.number), hash: result.hash });
    if (this.#seen.length > MOST_SEEN) this.#seen.shift();
  }

  /** Number or hash of the block that this call is about, if it is not known to who lags by so much; else undefined. */
  missing({ method, params }: EnvelopeCall, ms: number): string | undefined {
    const ref = String(params[0]);
    if (!BY_BLOCK.has(method) || !ref.startsWith('0x')) return undefined;
    const known = this.#seen.filter(({ at }) => at <= this.#clock.monotonic() - ms);
    if (ref.length === 66) return this.#seen.some(({ hash }) => hash === ref) && !known.some(({ hash }) => hash === ref) ? ref : undefined;
    return Number(ref) > Math.max(-1, ...known.map(({ number }) => number)) ? String(Number(ref)) : undefined;
  }
}
