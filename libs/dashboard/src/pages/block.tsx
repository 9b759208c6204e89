import type { Block, Chain, Reorg, TransactionRow } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { gasShare, grouped, moment, units } from '../format.ts';
import { Link, useHref } from '../routing.tsx';
import { useLive, useResource } from '../state/hooks.ts';
import { AnyValue, Field, Fields, Hex, OtherFields } from '../parts/fields.tsx';
import { Empty, Loading, Panel, Trouble } from '../parts/notice.tsx';
import { PagedList } from '../parts/paged-list.tsx';
import { BlockTable, KindMix, TransactionTable } from '../parts/tables.tsx';
import { Address, Age, FinalityBadge, Hash } from '../parts/values.tsx';

export function BlockPage({ reference }: { reference: string }) {
  const { chain, reorgs } = useLive();
  const chainId = chain?.chainId ?? '';
  const { data: block, error } = useResource<Block>(chainPath(chainId, `/blocks/${encodeURIComponent(reference)}`), { version: versionOf(reference, chain, reorgs) });
  if (block === undefined) return error ? <Trouble error={error} what="block" /> : <Loading what="the block" />;
  return (
    <article data-testid="block-page">
      <BlockTitle block={block} head={chain?.head?.number} />
      <div class="grid">
        <Panel id="block-fields" title="Block" wide><BlockFields block={block} /></Panel>
        <Panel id="verification" title="Verification" wide aside={block.verified === true ? 'all that this chain allows was recomputed' : undefined}><Verification block={block} /></Panel>
        <Panel id="block-transactions" title={`Transactions (${grouped(block.transactionCount)})`} wide>
          {block.transactionCount === 0 ? <Empty>This block holds no transactions.</Empty> : (
            <PagedList<TransactionRow> path={chainPath(chainId, `/blocks/${block.hash}/transactions`)} what="transactions">
              {(items) => <TransactionTable transactions={items} withBlock={false} />}
            </PagedList>
          )}
        </Panel>
        {(block.withdrawals?.length ?? 0) > 0 && <Panel id="withdrawals" title={`Withdrawals (${block.withdrawals?.length})`} wide><Withdrawals block={block} /></Panel>}
      </div>
    </article>
  );
}

/** Finality is all that can change of a block. But a number may not be reached yet, and a name stands for another block later. */
function versionOf(reference: string, chain: Chain | undefined, reorgs: readonly Reorg[]): string {
  const head = chain?.head?.number ?? -1;
  const reached = reference === 'latest' ? head : /^\d+$/.test(reference) && Number(reference) <= head;
  return `${reached}/${chain?.safe?.number}/${chain?.finalized?.number}/${reorgs[0]?.at}`;
}

function BlockTitle({ block, head }: { block: Block; head: number | undefined }) {
  const href = useHref();
  return (
    <header class="page-head">
      <div>
        <p class="eyebrow">Block</p>
        <h1 class="big-number" data-testid="block-number">{grouped(block.number)}</h1>
      </div>
      <FinalityBadge finality={block.finality} />
      <nav class="prev-next" aria-label="Neighbouring blocks">
        {block.number > 0 ? <Link href={href(`/blocks/${block.finality === 'orphaned' ? block.parentHash : block.number - 1}`)} rel="prev" data-testid="previous-block">← Previous</Link> : <span aria-hidden="true">← Previous</span>}
        {head !== undefined && block.number < head ? <Link href={href(`/blocks/${block.number + 1}`)} rel="next" data-testid="next-block">Next →</Link> : <span aria-hidden="true">Next →</span>}
      </nav>
      {block.finality === 'orphaned' && <p class="warning">A reorg dropped this block. <Link href={href(`/blocks/${block.number}`)}>Show the block that stands at this height now</Link></p>}
    </header>
  );
}

const OWN = ['number', 'hash', 'parentHash', 'timestamp', 'miner', 'transactionCount', 'kinds', 'gasUsed', 'gasLimit', 'finality', 'verified', 'verification', 'withdrawals', 'extra', 'asOf', 'logsBloom', 'revision'];

function BlockFields({ block }: { block: Block }) {
  const href = useHref();
  const share = gasShare(block.gasUsed, block.gasLimit);
  return (
    <Fields testId="fields">
      <Field name="hash"><Hash value={block.hash} full what="block hash" /></Field>
      <Field name="parentHash"><Hash value={block.parentHash} to={href(`/blocks/${block.parentHash}`)} full what="parent hash" /></Field>
      <Field name="timestamp" label="Time">{moment(block.timestamp)} <span class="muted">(<Age time={block.timestamp} /> ago)</span></Field>
      <Field name="transactionCount" label="Transactions"><span class="count-and-mix"><span class="number">{grouped(block.transactionCount)}</span><KindMix kinds={block.kinds} total={block.transactionCount} /></span></Field>
      {typeof block['miner'] === 'string' && <Field name="miner"><Address value={block['miner']} full /></Field>}
      {block.gasUsed !== undefined && <Field name="gasUsed"><span class="number">{grouped(block.gasUsed)}</span> <span class="muted">of {grouped(block.gasLimit ?? '')}{share === undefined ? '' : ` (${share} %)`}</span></Field>}
      <OtherFields of={block} except={OWN} />
      {typeof block['logsBloom'] === 'string' && <Field name="logsBloom"><details><summary>Show</summary><Hex value={block['logsBloom']} what="Logs bloom" /></details></Field>}
      {block.extra !== undefined && <Field name="extra" label="Fields unknown to chainfold"><AnyValue name="extra" value={block.extra} /></Field>}
    </Fields>
  );
}

function Verification({ block }: { block: Block }) {
  const parts = Object.entries(block.verification ?? {});
  if (parts.length === 0) return <Empty>Nothing of this block was recomputed.</Empty>;
  return (
    <ul class="verdicts" data-testid="verdicts">
      {parts.map(([part, verdict]) => <li key={part} data-part={part} class={verdict === 'verified' ? 'verdict-good' : 'verdict-open'}><b>{part}</b> {verdict}</li>)}
    </ul>
  );
}

function Withdrawals({ block }: { block: Block }) {
  return (
    <table class="rows">
      <thead><tr><th scope="col">Index</th><th scope="col">Validator</th><th scope="col">Address</th><th scope="col" class="right">Amount (ether)</th></tr></thead>
      <tbody>
        {(block.withdrawals ?? []).map((withdrawal) => (
          <tr key={withdrawal.index}>
            <td data-label="Index" class="lead number">{grouped(withdrawal.index)}</td>
            <td data-label="Validator" class="number">{grouped(withdrawal.validatorIndex)}</td>
            <td data-label="Address"><Address value={withdrawal.address} /></td>
            <td data-label="Amount" class="right number">{units(withdrawal.amount, 9)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function BlocksPage() {
  const { chain, blocks } = useLive();
  if (chain === undefined) return null;
  return (
    <>
      <h1>Blocks</h1>
      <PagedList<Block> path={chainPath(chain.chainId, '/blocks')} version={blocks[0]?.hash} what="blocks">
        {(items) => <section class="panel"><BlockTable blocks={items} chain={chain} /></section>}
      </PagedList>
    </>
  );
}
