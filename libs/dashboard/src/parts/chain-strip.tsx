import type { Chain, Kind, Reorg } from '../api/answers.ts';
import { grouped } from '../format.ts';
import { Link, useHref } from '../routing.tsx';
import { useMedia } from '../state/hooks.ts';
import { finalityOf, type LiveBlock } from '../state/live-chain.ts';

const KINDS: readonly Kind[] = ['deploy', 'call', 'transfer'];
const FULL_HEIGHT = 84;

/** The chain as it grows: a column per block, as high as its transactions, on a rail that shows how final it is. Newest at the right. */
export function ChainStrip({ blocks, chain, reorgs }: { blocks: readonly LiveBlock[]; chain: Chain | undefined; reorgs: readonly Reorg[] }) {
  const adopted = new Set(reorgs.flatMap((reorg) => reorg.adopted.map((block) => block.hash)));
  const narrow = useMedia('(max-width: 640px)');
  const middle = useMedia('(max-width: 1000px)');
  const shown = blocks.slice(0, narrow ? 26 : middle ? 44 : 64).reverse();
  const highest = Math.max(8, ...shown.map((block) => block.transactionCount));
  return (
    <figure class="strip-figure" data-testid="chain-strip">
      <ol class="strip" aria-label="Newest blocks, oldest first">
        {shown.map((block) => <Column key={block.hash} block={block} adopted={block.adopted || adopted.has(block.hash)} chain={chain} highest={highest} />)}
      </ol>
      <figcaption class="legend">
        <span class="legend-group">
          <i class="swatch kind-transfer" /> transfer <i class="swatch kind-call" /> call <i class="swatch kind-deploy" /> deploy
        </span>
        <span class="legend-group">
          <i class="rail-swatch finality-finalized" /> finalized <i class="rail-swatch finality-safe" /> safe <i class="rail-swatch finality-canonical" /> canonical <i class="fork-swatch" /> reorg
        </span>
      </figcaption>
    </figure>
  );
}

function Column({ block, adopted, chain, highest }: { block: LiveBlock; adopted: boolean; chain: Chain | undefined; highest: number }) {
  const href = useHref();
  const finality = finalityOf(block.number, chain);
  const label = `Block ${block.number}: ${block.transactionCount} transactions, ${finality}${adopted ? ', adopted by a reorg' : ''}`;
  return (
    <li class={block.fresh ? 'column fresh' : 'column'}>
      <Link href={href(`/blocks/${block.hash}`)} aria-label={label} title={label.replace(String(block.number), grouped(block.number))}>
        {adopted && <span class="fork" aria-hidden="true" />}
        <span class="bars">
          {block.transactionCount === 0 ? (
            <span class="bar hollow" />
          ) : (
            KINDS.map((kind) => {
              const count = block.kinds[kind] ?? 0;
              return count === 0 ? null : <span key={kind} class={`bar kind-${kind}`} style={{ height: `${Math.max(2, (count / highest) * FULL_HEIGHT)}px` }} />;
            })
          )}
        </span>
        <span class={`rail finality-${finality}`} />
      </Link>
    </li>
  );
}
