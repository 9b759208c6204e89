import type { Backfill } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { duration, grouped, percent } from '../format.ts';
import { Age } from '../parts/values.tsx';
import { useLive } from '../state/hooks.ts';
import { Empty } from '../parts/notice.tsx';
import { PagedList } from '../parts/paged-list.tsx';

export function BackfillsPage() {
  const { chain } = useLive();
  if (chain === undefined) return null;
  return (
    <>
      <h1>Backfills</h1>
      <p class="lede">Ranges older than the first captured block, fetched beside the head.</p>
      <PagedList<Backfill> path={chainPath(chain.chainId, '/backfills')} everyMs={1_500} what="backfills">
        {(items) => (items.length === 0 ? <Empty>None asked for. <code>npx chainfold backfill</code> or <code>POST /api/v1/chains/{chain.chainId}/backfills</code> starts one.</Empty> : <section class="panel"><BackfillList backfills={items} /></section>)}
      </PagedList>
    </>
  );
}

export function BackfillList({ backfills }: { backfills: readonly Backfill[] }) {
  return (
    <ul class="backfills" data-testid="backfill-list">
      {backfills.map((backfill) => {
        const share = backfill.percent ?? percent(backfill.done, backfill.total);
        const name = `Blocks ${grouped(backfill.from)} to ${grouped(backfill.to)}`;
        return (
          <li key={`${backfill.from}-${backfill.to}`} data-testid="backfill">
            <p class="backfill-head"><b>{name}</b> <span class={`badge state-${backfill.state}`}>{backfill.state}</span></p>
            <progress value={backfill.done} max={Math.max(1, backfill.total)} aria-label={`${name}: ${share} percent`} />
            <p class="muted">
              {grouped(backfill.done)} of {grouped(backfill.total)} ({share} %)
              {typeof backfill.blocksPerSecond === 'number' && ` · ${grouped(Math.round(backfill.blocksPerSecond))} blocks/s`}
              {typeof backfill.etaSeconds === 'number' && backfill.state !== 'finished' && ` · ${duration(backfill.etaSeconds)} left`}
              <BackfillMoment backfill={backfill} />
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function BackfillMoment({ backfill }: { backfill: Backfill }) {
  if (typeof backfill.finishedAt === 'string') return <> · finished <Age time={backfill.finishedAt} /> ago</>;
  if (typeof backfill.cancelledAt === 'string') return <> · cancelled <Age time={backfill.cancelledAt} /> ago: {backfill.cancelReason}</>;
  return typeof backfill.requestedAt === 'string' ? <> · asked for <Age time={backfill.requestedAt} /> ago</> : null;
}
