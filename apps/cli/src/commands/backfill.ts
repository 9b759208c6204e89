import { ChainfoldError } from '#platform/kernel';
import type { Page } from '../api-client.ts';
import type { Output } from '../output.ts';
import type { Target } from '../target.ts';
import { callNode } from './node-check.ts';

export interface BackfillOptions {
  readonly from: number;
  readonly to: number;
  readonly chain?: string;
  readonly rpc?: string;
}

interface ShownBackfill {
  readonly state: 'requested' | 'running' | 'finished' | 'cancelled';
  readonly cancelReason?: string | null;
  readonly done: number;
  readonly total: number;
  readonly blocksPerSecond: number | null;
  readonly etaSeconds: number | null;
}
interface ShownChain {
  readonly chainId: string;
  readonly status?: string;
  readonly reason?: string;
}

const ASK_EVERY_MS = 250;
const CHAIN_WITHIN_MS = 30_000;

/** Captures a range of blocks and waits until it is there. */
export async function backfill({ api, beside }: Target, output: Output, options: BackfillOptions): Promise<void> {
  const chainId = await chainOf({ api, beside }, options);
  const { id, position } = await api.post<{ id: string; position: string }>(`/api/v1/chains/${chainId}/backfills`, { from: options.from, to: options.to });
  output.note(`Backfill ${id} of chain ${chainId}${beside ? ', by the running process' : ''}`);
  const progress = output.progress('blocks', 'blocks');
  let asked = `?atLeast=${encodeURIComponent(position)}`;
  let last: ShownBackfill;
  try {
    for (;;) {
      last = await api.get<ShownBackfill>(`/api/v1/chains/${chainId}/backfills/${id}${asked}`);
      asked = '';
      progress.at(last.done, last.total, { rate: last.blocksPerSecond, etaSeconds: last.etaSeconds });
      if (last.state === 'finished') break;
      if (last.state === 'cancelled') throw new BackfillCancelled(id, last.cancelReason ?? '');
      await refuseStopped({ api }, chainId);
      await new Promise((resume) => setTimeout(resume, ASK_EVERY_MS));
    }
  } finally {
    progress.end();
  }
  output.result({ kind: 'finished', chainId, id, ...last }, () => `Captured ${last.done} blocks, ${options.from} to ${options.to}.`);
}

/** The chain that was named, that the node has, or the only one there is. */
async function chainOf({ api, beside }: Pick<Target, 'api' | 'beside'>, options: BackfillOptions): Promise<string> {
  const named = options.chain ?? (options.rpc === undefined ? undefined : await chainIdOf(options.rpc));
  const until = performance.now() + (beside ? 0 : CHAIN_WITHIN_MS);
  for (;;) {
    const { items } = await api.get<Page<ShownChain>>('/api/v1/chains');
    const found = named === undefined ? items : items.filter((chain) => chain.chainId === named);
    if (found[0] !== undefined && found.length === 1) return found[0].chainId;
    if (performance.now() > until) throw new ChainNotChosen(named, items.map((chain) => chain.chainId));
    await new Promise((resume) => setTimeout(resume, ASK_EVERY_MS));
  }
}

async function refuseStopped({ api }: Pick<Target, 'api'>, chainId: string): Promise<void> {
  const chain = await api.get<ShownChain>(`/api/v1/chains/${chainId}`);
  if (chain.status !== 'stopped') return;
  throw new ChainfoldError(`Chain ${chainId} is stopped`, {
    code: 'chain-stopped',
    kind: 'unavailable',
    facts: { reason: chain.reason },
    hint: `What was captured is kept. POST /api/v1/chains/${chainId}/resume lets it go on.`,
  });
}

/** Where a chain begins that is captured for its past only: at the head, so that following it later has no gap to fill up to there. */
export async function startAbove(rpc: string, to: number): Promise<string> {
  try {
    const [head] = await callNode(rpc, [['eth_blockNumber', []]]);
    return Number(head) > to ? 'latest' : String(to + 1);
  } catch {
    throw new NodeSilent('The node does not tell its head');
  }
}

/** In decimal. The address may hold a key, so it stands in no message. */
async function chainIdOf(rpc: string): Promise<string> {
  try {
    const [chainId] = await callNode(rpc, [['eth_chainId', []]]);
    return BigInt(chainId as string).toString();
  } catch {
    throw new NodeSilent('The node does not tell its chain id');
  }
}

class BackfillCancelled extends ChainfoldError {
  constructor(id: string, reason: string) {
    super(`Backfill ${id} was cancelled`, { code: 'backfill-cancelled', kind: 'conflict', facts: { reason }, hint: 'What was captured of it is kept. The same command asks for the range again.' });
  }
}

class NodeSilent extends ChainfoldError {
  constructor(message: string) {
    super(message, {
      code: 'node-unreachable',
      kind: 'unavailable',
      retryable: true,
      hint: 'Is the address after --rpc right, and does the node run? `chainfold doctor` asks every provider.',
    });
  }
}

class ChainNotChosen extends ChainfoldError {
  constructor(named: string | undefined, known: readonly string[]) {
    super(named === undefined ? 'It is not clear which chain is meant' : `Chain ${named} is not captured here`, {
      code: 'chain-unknown',
      kind: 'missing',
      facts: { captured: known },
      hint: known.length > 1 ? 'Name one with --chain.' : 'Give its node with --rpc, while no other process runs on this data directory.',
    });
  }
}
