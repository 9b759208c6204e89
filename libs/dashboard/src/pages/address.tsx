import type { TransactionRow } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { useLive } from '../state/hooks.ts';
import { Empty } from '../parts/notice.tsx';
import { PagedList } from '../parts/paged-list.tsx';
import { TransactionTable } from '../parts/tables.tsx';
import { Hash } from '../parts/values.tsx';

export function AddressPage({ address }: { address: string }) {
  const { chain, blocks } = useLive();
  if (chain === undefined) return null;
  return (
    <article data-testid="address-page">
      <header class="page-head">
        <div>
          <p class="eyebrow">Address</p>
          <h1 class="title-hash"><Hash value={address} full what="address" /></h1>
        </div>
      </header>
      <PagedList<TransactionRow> path={chainPath(chain.chainId, `/addresses/${encodeURIComponent(address)}/transactions`)} version={blocks[0]?.hash} what="transactions of the address">
        {(items) => (
          <section class="panel wide">
            {items.length === 0 ? <Empty>No captured transaction sent to, came from or created this address.</Empty> : <TransactionTable transactions={items} withAge />}
          </section>
        )}
      </PagedList>
    </article>
  );
}
