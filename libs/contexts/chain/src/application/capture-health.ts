import type { Clock } from '#platform/kernel';
import type { BackfillProcess } from './backfill.process.ts';
import type { CaptureStatus, CaptureStatusBoard } from './capture-status.ts';
import type { ChainActors } from './chain-actors.ts';
import { viewOf } from './chain-view.ts';

/** So long a node may be ahead of us without a single block arriving. */
const NO_PROGRESS_MS = 30_000;

/** Fits the checks of readiness: down with the reason of every chain that does not move although it should. */
export async function captureHealth(board: CaptureStatusBoard, chains: ChainActors, clock: Clock): Promise<{ status: 'up' } | { status: 'down'; reason: string }> {
  const reasons: string[] = [];
  for (const [chainId, status] of board.all()) {
    const reason = (await standsStill(chainId, status, chains, clock)) ? (status.reason ?? unexplained(status)) : undefined;
    if (reason !== undefined) reasons.push(`Chain ${chainId}: ${reason}`);
  }
  return reasons.length === 0 ? { status: 'up' } : { status: 'down', reason: reasons.join(' ') };
}

/** Down while requests for backfills can not be read from the log. */
export function backfillHealth(backfills: Pick<BackfillProcess, 'trouble'>): { status: 'up' } | { status: 'down'; reason: string } {
  const trouble = backfills.trouble();
  return trouble === undefined ? { status: 'up' } : { status: 'down', reason: `Requests for backfills can not be read: ${trouble}` };
}

function unexplained({ state, providers }: CaptureStatus): string {
  switch (state) {
    case 'starting':
      return `no node has answered yet${providers.length === 0 ? '' : ` (${providers.map(({ label }) => label).join(', ')})`}`;
    case 'following':
    case 'backfilling':
      return `no block has arrived for ${NO_PROGRESS_MS / 1_000} s although the node is ahead`;
    case 'stalled':
    case 'stopped':
      return `it is ${state}`;
  }
}

async function standsStill(chainId: string, status: CaptureStatus, chains: ChainActors, clock: Clock): Promise<boolean> {
  switch (status.state) {
    case 'stalled':
    case 'stopped':
    case 'starting':
      return status.state !== 'starting' || status.nodeHead === undefined;
    case 'following':
    case 'backfilling': {
      const { nodeHead, lastProgressAt } = status;
      if (nodeHead === undefined || clock.now() - (lastProgressAt ?? 0) < NO_PROGRESS_MS) return false;
      // A node that makes no blocks is no trouble of ours.
      const head = viewOf((await chains.peek(chainId)).state).head?.number ?? -1;
      return nodeHead > head;
    }
  }
}
