import type { LiveState } from '../state/live-chain.ts';
import { useNow } from '../state/hooks.ts';

const BUCKET_MS = 5_000;
const BUCKETS = 60;

/** Transactions written to the log in each five seconds, as this page saw them; what was before it opened stays blank. */
export function RateChart({ captured, openedAt }: Pick<LiveState, 'captured' | 'openedAt'>) {
  const now = useNow();
  const newest = Math.floor(now / BUCKET_MS);
  const counts = Array.from({ length: BUCKETS }, () => 0);
  for (const one of captured) {
    const bucket = BUCKETS - 1 - (newest - Math.floor((one.second * 1_000) / BUCKET_MS));
    if (bucket >= 0 && bucket < BUCKETS) counts[bucket] = (counts[bucket] ?? 0) + one.transactions;
  }
  const highest = Math.max(10, ...counts);
  const watched = Math.min(BUCKETS, newest - Math.floor(openedAt / BUCKET_MS) + 1);
  const minute = captured.filter((one) => now - one.second * 1_000 < 60_000);
  const seconds = Math.max(1, Math.min(60, (now - openedAt) / 1_000));
  const perSecond = (count: number): string => (count / seconds).toFixed(count / seconds < 10 ? 2 : 0);
  const blocks = perSecond(minute.reduce((sum, one) => sum + one.blocks, 0));
  const transactions = perSecond(minute.reduce((sum, one) => sum + one.transactions, 0));
  return (
    <div class="rate">
      <dl class="figures">
        <div><dt>blocks/s</dt><dd data-testid="blocks-per-second">{blocks}</dd></div>
        <div><dt>transactions/s</dt><dd data-testid="transactions-per-second">{transactions}</dd></div>
      </dl>
      <svg class="chart" viewBox={`0 0 ${BUCKETS * 5} 60`} preserveAspectRatio="none" role="img" aria-label={`Capture rate of the last five minutes. Now ${blocks} blocks and ${transactions} transactions a second.`}>
        <rect class="chart-unseen" x="0" y="0" width={(BUCKETS - watched) * 5} height="60" />
        {counts.map((count, index) => {
          const height = (count / highest) * 56;
          return <rect key={index} class="chart-bar" x={index * 5 + 0.5} y={60 - height} width="4" height={height} />;
        })}
      </svg>
      <p class="axis"><span>5 min ago</span><span>{watched < BUCKETS ? 'shaded: before this page opened' : `highest ${highest} in 5 s`}</span><span>now</span></p>
    </div>
  );
}
