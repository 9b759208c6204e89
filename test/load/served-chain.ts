/**
 * A chain that a replay node serves from a process of its own, so that it shares no thread with who asks. Run as a
 * program it is that process; `ServedChain` starts it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateChain } from './generated-chain.ts';
import { type Growing, growingChain } from './growing-chain.ts';
import { mainnetChain } from './mainnet-chain.ts';
import type { RecordedChain } from './recorded-chain.ts';
import { ReplayNode } from './replay-node.ts';

const FIXTURES = resolve(process.env['FIXTURES_DIR'] ?? '../shared/fixtures');

export type ChainToServe = { readonly hidden?: number } & (
  | { readonly kind: 'generated'; readonly blocks: number; readonly transactionsPerBlock: number }
  | ({ readonly kind: 'growing' } & Growing)
  | { readonly kind: 'mainnet'; readonly blocks: number }
);

/** Whether the real blocks are there. */
export function hasMainnet(): boolean {
  return existsSync(join(FIXTURES, 'evm-blocks', 'ethereum'));
}

interface Served {
  readonly url: string;
  readonly wsUrl: string;
  readonly chainId: string;
  /** Of all that is recorded, shown or hidden. */
  readonly first: number;
  readonly last: number;
  readonly bytesPerBlock: number;
}

export interface Counts {
  readonly requests: number;
  readonly calls: number;
}

export class ServedChain {
  readonly served: Served;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, served: Served) {
    this.#child = child;
    this.served = served;
  }

  /** `hidden`: so many of the newest blocks are not shown until `advanceTo`. */
  static async start(chain: ChainToServe): Promise<ServedChain> {
    const child = fork(import.meta.filename, [JSON.stringify(chain)], { execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] });
    return new ServedChain(child, await answer<Served>(child));
  }

  /** Announces this head; resolves with when that was, in milliseconds since 1970 and parts of them. */
  async advanceTo(head: number): Promise<number> {
    this.#child.send({ head });
    return answer(this.#child);
  }

  async counts(): Promise<Counts> {
    this.#child.send({});
    return answer(this.#child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.disconnect();
    await ended;
  }
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((told, died) => {
    const ended = (code: number | null): void => died(new Error(`the replay node ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (value) => {
      child.off('exit', ended);
      told(value as T);
    });
  });
}

async function chainOf(wanted: ChainToServe): Promise<{ readonly chain: RecordedChain; readonly first: number; readonly last: number }> {
  switch (wanted.kind) {
    case 'generated': {
      const chain = await generateChain({ seed: 5, ...wanted });
      return { chain, first: 1, last: chain.head };
    }
    case 'growing':
    case 'mainnet': {
      const chain = await (wanted.kind === 'growing' ? growingChain(wanted) : mainnetChain(FIXTURES, wanted.blocks));
      return { chain, first: chain.last - wanted.blocks + 1, last: chain.last };
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const wanted = JSON.parse(process.argv[2] ?? '') as ChainToServe;
  const { chain, first, last } = await chainOf(wanted);
  const some = [0, 1, 2].map((place) => chain.at(Math.min(last, first + place)));
  const bytes = some.reduce((sum, one) => sum + (one?.block.length ?? 0) + (one?.receipts.length ?? 0), 0);
  chain.head = last - (wanted.hidden ?? 0);
  const node = await ReplayNode.start(chain);
  process.send?.({ url: node.url, wsUrl: node.wsUrl, chainId: chain.chainId.toString(), first, last, bytesPerBlock: bytes / some.length } satisfies Served);
  process.on('message', ({ head }: { head?: number }) => {
    const at = performance.timeOrigin + performance.now();
    if (head !== undefined) node.advanceTo(head);
    process.send?.(head !== undefined ? at : ({ requests: node.requests, calls: [...node.calls.values()].reduce((sum, count) => sum + count, 0) } satisfies Counts));
  });
  process.on('disconnect', () => process.exit());
}
