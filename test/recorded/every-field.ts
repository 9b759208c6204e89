import type { Fields } from './as-the-api-writes-it.ts';
import { blockAsWritten, summaryAsWritten, transactionAsWritten } from './as-the-api-writes-it.ts';

export interface NodeBlock {
  /** Result of eth_getBlockByNumber with full transactions. */
  readonly block: Fields;
  /** Result of eth_getBlockReceipts. */
  readonly receipts: readonly Fields[];
}

export interface Served {
  /** An answer under /api/v1. */
  readonly api: (path: string) => Promise<any>;
  readonly chainId: string;
  readonly finality: (number: number) => 'canonical' | 'safe' | 'finalized';
}

/** What the API answers about this block is what the node answered, field by field, and nothing else. Returns how many logs it saw. */
export async function expectEveryField({ api, chainId, finality: of }: Served, { block, receipts }: NodeBlock): Promise<number> {
  const finality = of(Number(block['number']));
  const path = `/chains/${chainId}/blocks/${String(block['hash'])}`;
  const transactions = block['transactions'] as Fields[];
  expect(receipts).toHaveLength(transactions.length);
  const { verification, ...answer } = moment(await api(path));
  expect(answer).toEqual({ ...blockAsWritten(block), finality, verified: true });
  const { senders = 'verified', ...roots } = verification as Fields;
  expect(roots).toEqual({ header: 'verified', transactions: 'verified', receipts: 'verified', ...('withdrawals' in block ? { withdrawals: 'verified' } : {}) });
  // Of a sample, so not in every block.
  expect(senders).toBe('verified');
  expect(moment(await api(`/chains/${chainId}/blocks/${Number(block['number'])}`))).toMatchObject({ hash: block['hash'] });
  const summaries: unknown[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page: { items: unknown[]; next: string | null } = await api(`${path}/transactions?limit=500${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`);
    summaries.push(...page.items);
    after = page.next;
  }
  expect(summaries).toEqual(transactions.map((one, at) => ({ ...summaryAsWritten(one, receipts[at] as Fields), finality })));
  let logs = 0;
  for (const [at, transaction] of transactions.entries()) {
    const receipt = receipts[at] as Fields;
    logs += (receipt['logs'] as unknown[]).length;
    const shown = moment(await api(`/chains/${chainId}/transactions/${String(transaction['hash'])}`));
    expect(shown).toEqual({ ...transactionAsWritten(transaction, receipt), finality });
  }
  return logs;
}

function moment({ asOf, ...answer }: Fields): Fields {
  expect(asOf).toEqual(expect.any(String));
  return answer;
}
