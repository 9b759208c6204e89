import type { Backfill, Kinds, Page, Projection } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { duration, grouped, shorten } from '../format.ts';
import { Link, useHref } from '../routing.tsx';
import { useLive, useResource } from '../state/hooks.ts';
import type { LiveState } from '../state/live-chain.ts';
import { ChainStrip } from '../parts/chain-strip.tsx';
import { Empty, Panel } from '../parts/notice.tsx';
import { RateChart } from '../parts/rate-chart.tsx';
import { BlockTable, KindShares, TransactionTable } from '../parts/tables.tsx';
import { Age } from '../parts/values.tsx';
import { BackfillList } from './backfills.tsx';
import { ReorgList } from './reorgs.tsx';

export function HomePage() {
  const live = useLive();
  const href = useHref();
  const chainId = live.chain?.chainId ?? '';
  const backfills = useResource<Page<Backfill>>(chainPath(chainId, '/backfills?limit=5'), { everyMs: 2_000 });
  const running = backfills.data?.items.filter((backfill) => backfill.state !== 'finished' && backfill.state !== 'cancelled') ?? [];
  return (
    <>
      <Head live={live} />
      <div class="grid">
        {running.length > 0 && (
          <Panel id="backfills" title="Backfills" wide aside={<Link href={href('/backfills')}>All backfills</Link>}><BackfillList backfills={running} /></Panel>
        )}
        <Panel id="latest-blocks" title="Latest blocks" wide aside={<Link href={href('/blocks')}>All blocks</Link>}>
          {live.blocks.length === 0 ? <Empty>No block has been captured yet.</Empty> : <BlockTable blocks={live.blocks.slice(0, 10)} chain={live.chain} />}
        </Panel>
        <Panel id="latest-transactions" title="Latest transactions" wide>
          {live.transactions.length === 0 ? <Empty>The newest blocks hold no transactions.</Empty> : <TransactionTable transactions={live.transactions.slice(0, 12)} />}
        </Panel>
        <Panel id="kinds" title="Kinds" aside={live.blocks.length === 1 ? 'newest block' : `newest ${live.blocks.length} blocks`}><KindShares kinds={sumKinds(live)} /></Panel>
        <Panel id="capture-rate" title="Capture rate" aside="last 5 minutes"><RateChart captured={live.captured} openedAt={live.openedAt} /></Panel>
        <Panel id="reorgs" title="Reorgs" aside={<Link href={href('/reorgs')}>All reorgs</Link>}>
          {live.reorgs.length === 0 ? <Empty>None seen. The chain has only grown.</Empty> : <ReorgList reorgs={live.reorgs.slice(0, 4)} />}
        </Panel>
        <Panel id="projections" title="Projections" aside="read models of the log"><Projections /></Panel>
      </div>
    </>
  );
}

function Head({ live }: { live: LiveState }) {
  const href = useHref();
  const { chain } = live;
  const head = chain?.head;
  return (
    <section class="head" aria-labelledby="head-title">
      <div class="head-row">
        <div class="head-main">
          <h1 id="head-title" class="eyebrow">Head <ChainStatus live={live} /></h1>
          {head ? (
            <Link href={href(`/blocks/${head.hash}`)} class="head-number" data-testid="head-number">{grouped(head.number)}</Link>
          ) : (
            <span class="head-number" data-testid="head-number">–</span>
          )}
          <p class="head-sub">{head ? <><span class="muted">age</span> <Age time={head.timestamp ?? live.blocks[0]?.timestamp} testId="head-age" /> <span class="dot" /> <code title={head.hash}>{shorten(head.hash)}</code><BehindNode live={live} /></> : 'Waiting for the first block'}</p>
        </div>
        <dl class="head-figures">
          <Mark name="safe" point={chain?.safe} head={head?.number} />
          <Mark name="finalized" point={chain?.finalized} head={head?.number} />
          <div><dt>blocks</dt><dd data-testid="block-count">{grouped(chain?.blocks ?? 0)}</dd><small>captured</small></div>
          <div><dt>transactions</dt><dd data-testid="transaction-count">{grouped(chain?.transactions ?? 0)}</dd><small>captured</small></div>
        </dl>
      </div>
      <Warning live={live} />
      <ChainStrip blocks={live.blocks} chain={chain} reorgs={live.reorgs} />
    </section>
  );
}

/** Not worth a word while it is only the time between two looks at the node. */
function BehindNode({ live }: { live: LiveState }) {
  const { head, nodeHead } = live.chain ?? {};
  const behind = typeof nodeHead === 'number' && head ? nodeHead - head.number : 0;
  return behind < 3 ? null : <> <span class="dot" /> <span data-testid="behind-node">{grouped(behind)} blocks behind the node</span></>;
}

function Mark({ name, point, head }: { name: string; point: { number: number; hash: string } | null | undefined; head: number | undefined }) {
  const href = useHref();
  return (
    <div>
      <dt><i class={`rail-swatch finality-${name}`} /> {name}</dt>
      <dd data-testid={`${name}-number`}>{point ? <Link href={href(`/blocks/${point.number}`)}>{grouped(point.number)}</Link> : '–'}</dd>
      <small>{point && head !== undefined ? `${grouped(head - point.number)} behind` : 'not told yet'}</small>
    </div>
  );
}

function ChainStatus({ live }: { live: LiveState }) {
  const status = live.chain?.status ?? 'unknown';
  // What the server said last is no longer known to be so.
  return <span class={live.feed === 'lost' ? 'status' : `status status-${status}`} data-testid="chain-status">{status}</span>;
}

function Warning({ live }: { live: LiveState }) {
  const { chain } = live;
  if (live.feed === 'lost') return <p class="warning" role="alert" data-testid="warning">The server does not answer. What you see is as of the last event; the page goes on by itself when the server is back.</p>;
  if (chain === undefined || (chain.status !== 'stalled' && chain.status !== 'stopped')) return null;
  return (
    <p class={`warning status-${chain.status}`} role="alert" data-testid="warning">
      <strong>{chain.status === 'stopped' ? 'Capture of this chain is stopped.' : 'No progress.'}</strong> {sentence(chain.reason ?? 'No reason was given')}
      {chain.status === 'stopped' && <> When the cause is mended, <code>POST /api/v1/chains/{chain.chainId}/resume</code> with a <code>reason</code> lets it go on.</>}
    </p>
  );
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function Projections() {
  const { data, error } = useResource<{ items: readonly Projection[] }>('/projections', { everyMs: 2_000 });
  if (data === undefined) return <Empty>{error === undefined ? 'Reading…' : error.message}</Empty>;
  return (
    <ul class="projections">
      {data.items.map((projection) => (
        <li key={projection.name} data-testid="projection" data-name={projection.name}>
          <span class="projection-name">{projection.name}</span>
          <span class={`badge state-${projection.state}`}>{projection.state}</span>
          <span class="number lag">{projection.lagEvents === 0 ? 'at the head' : projection.lagEvents === null ? `${duration(projection.lagSeconds ?? 0)} behind` : `${grouped(projection.lagEvents)} events behind`}</span>
          {(projection.parkedKeys ?? 0) > 0 && <span class="badge bad">{projection.parkedKeys} parked</span>}
        </li>
      ))}
    </ul>
  );
}

function sumKinds(live: LiveState): Kinds {
  const sum = { transfer: 0, call: 0, deploy: 0 };
  for (const { kinds } of live.blocks) {
    sum.transfer += kinds.transfer ?? 0;
    sum.call += kinds.call ?? 0;
    sum.deploy += kinds.deploy ?? 0;
  }
  return sum;
}
