import type { Chain, Finality, Kinds, TransactionRow } from '../api/answers.ts';
import { gasShare, grouped, percent } from '../format.ts';
import { useHref } from '../routing.tsx';
import { finalityOf } from '../state/live-chain.ts';
import { Address, Age, BlockLink, FinalityBadge, Hash, KindBadge, StatusBadge, Target, Value } from './values.tsx';

/** Rows turn into small cards on a narrow screen; `data-label` is what a cell is called there. */
export interface BlockRow {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: string;
  readonly transactionCount: number;
  readonly kinds?: Kinds;
  readonly gasUsed?: string | undefined;
  readonly gasLimit?: string | undefined;
  readonly finality?: Finality;
  readonly fresh?: boolean;
}

export function BlockTable({ blocks, chain }: { blocks: readonly BlockRow[]; chain: Chain | undefined }) {
  const href = useHref();
  return (
    <table class="rows blocks" data-testid="blocks">
      <caption class="unseen">Blocks, newest first</caption>
      <thead><tr><th scope="col">Block</th><th scope="col">Age</th><th scope="col">Hash</th><th scope="col">Transactions</th><th scope="col" class="right">Gas</th><th scope="col">Finality</th></tr></thead>
      <tbody>
        {blocks.map((block) => (
          <tr key={block.hash} class={block.fresh ? 'fresh' : undefined} data-testid="block-row" data-number={block.number}>
            <td data-label="Block" class="lead"><BlockLink number={block.number} hash={block.hash} /></td>
            <td data-label="Age"><Age time={block.timestamp} /></td>
            <td data-label="Hash"><Hash value={block.hash} to={href(`/blocks/${block.hash}`)} /></td>
            <td data-label="Transactions"><span class="count-and-mix"><span class="number">{grouped(block.transactionCount)}</span><KindMix kinds={block.kinds} total={block.transactionCount} /></span></td>
            <td data-label="Gas" class="right"><Gas used={block.gasUsed} limit={block.gasLimit} /></td>
            <td data-label="Finality"><FinalityBadge finality={block.finality ?? finalityOf(block.number, chain)} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Gas({ used, limit }: { used: string | undefined; limit: string | undefined }) {
  const share = gasShare(used, limit);
  return <span class="number" title={used === undefined ? '' : `${grouped(used)} of ${grouped(limit ?? '')}`}>{share === undefined ? '–' : `${share} %`}</span>;
}

export function KindMix({ kinds, total }: { kinds: Kinds | undefined; total: number }) {
  if (kinds === undefined || total === 0) return null;
  const { transfer = 0, call = 0, deploy = 0 } = kinds;
  const label = `${transfer} transfers, ${call} calls, ${deploy} deploys`;
  return (
    <span class="mix" role="img" aria-label={label} title={label}>
      {([['transfer', transfer], ['call', call], ['deploy', deploy]] as const).map(([kind, count]) =>
        count === 0 ? null : <i key={kind} class={`kind-${kind}`} style={{ flexGrow: count }} />)}
    </span>
  );
}

export function TransactionTable({ transactions, withBlock = true, withAge = false, testId = 'transactions' }: { transactions: readonly TransactionRow[]; withBlock?: boolean; withAge?: boolean; testId?: string }) {
  const href = useHref();
  return (
    <table class={withAge ? 'rows transactions with-age' : 'rows transactions'} data-testid={testId}>
      <caption class="unseen unit">Transactions, values in ether</caption>
      <thead>
        <tr>
          <th scope="col">Transaction</th><th scope="col">Kind</th>
          {withBlock && <th scope="col">Block</th>}
          {withAge && <th scope="col">Age</th>}
          <th scope="col">From</th><th scope="col">To</th><th scope="col" class="right">Value (ether)</th><th scope="col">Status</th>
        </tr>
      </thead>
      <tbody>
        {transactions.map((transaction) => (
          <tr key={`${transaction.hash}${transaction.blockHash}`} data-testid="transaction-row" data-hash={transaction.hash}>
            <td data-label="Transaction" class="lead"><Hash value={transaction.hash} to={href(`/tx/${transaction.hash}`)} what="transaction hash" /></td>
            <td data-label="Kind"><KindBadge kind={transaction.kind} /> {transaction.type !== undefined && <span class="type" title={`Transaction type ${transaction.type}`}>{transaction.type}</span>}</td>
            {withBlock && <td data-label="Block"><BlockLink number={transaction.blockNumber} hash={transaction.blockHash} /></td>}
            {withAge && <td data-label="Age"><Age time={transaction.timestamp} /></td>}
            <td data-label="From">{transaction.from === undefined ? '–' : <Address value={transaction.from} />}</td>
            <td data-label="To"><Target to={transaction.to} contractAddress={transaction.contractAddress} /></td>
            <td data-label="Value" class="right"><Value wei={transaction.value} /></td>
            <td data-label="Status">{transaction.finality === 'orphaned' ? <FinalityBadge finality="orphaned" /> : <StatusBadge status={transaction.status} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function KindShares({ kinds }: { kinds: Kinds }) {
  const all = (kinds.transfer ?? 0) + (kinds.call ?? 0) + (kinds.deploy ?? 0);
  return (
    <dl class="shares" data-testid="kind-shares">
      {(['transfer', 'call', 'deploy'] as const).map((kind) => (
        <div key={kind}>
          <dt><i class={`swatch kind-${kind}`} /> {kind}</dt>
          <dd><b>{percent(kinds[kind] ?? 0, all)} %</b> <span class="muted">{grouped(kinds[kind] ?? 0)}</span></dd>
        </div>
      ))}
    </dl>
  );
}
