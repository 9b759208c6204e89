import type { Reorg } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { grouped, moment, shorten } from '../format.ts';
import { Link, useHref } from '../routing.tsx';
import { useLive } from '../state/hooks.ts';
import { PagedList } from '../parts/paged-list.tsx';
import { Empty } from '../parts/notice.tsx';
import { Age, BlockLink } from '../parts/values.tsx';

export function ReorgsPage() {
  const { chain, reorgs } = useLive();
  if (chain === undefined) return null;
  return (
    <>
      <h1>Reorgs</h1>
      <p class="lede">Each time the chain left blocks that it had shown. Their data is kept and found by hash.</p>
      <PagedList<Reorg> path={chainPath(chain.chainId, '/reorgs')} version={reorgs[0]?.at} what="reorgs">
        {(items) => (items.length === 0 ? <Empty>None seen. The chain has only grown.</Empty> : <section class="panel"><ReorgList reorgs={items} /></section>)}
      </PagedList>
    </>
  );
}

const SHOWN = 6;

export function ReorgList({ reorgs }: { reorgs: readonly Reorg[] }) {
  return (
    <ol class="reorgs" data-testid="reorg-list">
      {reorgs.map((reorg) => (
        <li key={`${reorg.at}${reorg.ancestor.hash}`} data-testid="reorg" data-depth={reorg.depth}>
          <p class="reorg-head">
            <b>{reorg.depth === 1 ? '1 block' : `${grouped(reorg.depth)} blocks`} deep</b> above <BlockLink number={reorg.ancestor.number} hash={reorg.ancestor.hash} />
            <span class="muted" title={moment(reorg.at)}><Age time={reorg.at} /> ago</span>
          </p>
          <Branch name="dropped" blocks={reorg.dropped} />
          {reorg.adopted.length === 0 ? <p class="branch muted">nothing adopted: the node went back</p> : <Branch name="adopted" blocks={reorg.adopted} />}
        </li>
      ))}
    </ol>
  );
}

function Branch({ name, blocks }: { name: 'dropped' | 'adopted'; blocks: Reorg['dropped'] }) {
  const href = useHref();
  return (
    <p class={`branch ${name}`}>
      <span class="branch-name">{name}</span>
      {blocks.slice(0, SHOWN).map((block) => (
        <Link key={block.hash} href={href(`/blocks/${block.hash}`)} title={block.hash}>{grouped(block.number)} <code>{shorten(block.hash, 4, 4)}</code></Link>
      ))}
      {blocks.length > SHOWN && <span class="muted">and {grouped(blocks.length - SHOWN)} more</span>}
    </p>
  );
}
