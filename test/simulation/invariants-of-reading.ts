import type { RecordedEvent } from '#platform/kernel';
import type { Hex } from '../../libs/contexts/chain/src/domain/rpc-types.ts';
import type { ChainExplorer } from '../../libs/contexts/chain/src/ports/chain-explorer.port.ts';
import type { RecordedBlock } from '../load/recorded-chain.ts';
import type { Fields } from '../recorded/as-the-api-writes-it.ts';
import { blockAsWritten, summaryAsWritten, transactionAsWritten } from '../recorded/as-the-api-writes-it.ts';
import { LogModel } from './log-model.ts';
import type { Observer, SeenAnswer } from './observer.ts';
import type { ReadSide } from './read-side.ts';
import { CHAIN_ID } from './true-chain.ts';
import type { World } from './world.ts';

/** Whatever was answered while all of it happened was what the log said at that very position. */
export function expectAnswersOfTheirMoment(events: readonly RecordedEvent[], { answers }: Observer): void {
  expect(answers.length).toBeGreaterThan(0);
  const model = new LogModel();
  const wrong: unknown[] = [];
  let at = 0;
  for (const answer of [...answers].sort((one, other) => (one.asOf < other.asOf ? -1 : 1))) {
    for (let event = events[at]; event !== undefined && event.position <= answer.asOf; event = events[at]) {
      model.apply(event);
      at += 1;
    }
    const said = saidBy(model, answer);
    if (JSON.stringify(said) !== JSON.stringify(answer)) wrong.push({ answer, said });
  }
  expect(wrong.slice(0, 3)).toEqual([]);
}

function saidBy({ head, safe, finalized, reorgs, canonical }: LogModel, answer: SeenAnswer): SeenAnswer {
  const { asOf } = answer;
  const point = (ref: LogModel['head']): string | null => (ref === undefined ? null : `${ref.number} ${ref.hash}`);
  if (answer.kind === 'marks') return { kind: 'marks', head: point(head), safe: point(safe), finalized: point(finalized), reorgs, blocks: canonical.size, asOf };
  const newest = [...canonical].sort(([one], [other]) => other - one).slice(0, answer.asked);
  return { kind: 'blocks', asked: answer.asked, hashes: newest.map(([, hash]) => hash), asOf };
}

/** Block by block and transaction by transaction, what is asked is what the node has. */
export async function expectExplorerEqual({ life, chain, finalized }: World): Promise<void> {
  const { explorer } = life.read as ReadSide;
  const facts = await explorer.chain(CHAIN_ID);
  expect([facts.head?.hash, facts.finalized?.number ?? -1, facts.blocks, facts.stop]).toEqual([chain.tip.hash, finalized, chain.line.length, null]);
  const listed: unknown[] = [];
  for (let after: Parameters<ChainExplorer['blocks']>[1]['after']; ; ) {
    const page = await explorer.blocks(CHAIN_ID, { limit: 17, order: 'asc', orphaned: false, after });
    listed.push(...page.items.map(({ hash }) => hash));
    if (page.next === null) break;
    after = page.next;
  }
  expect(listed).toEqual(chain.line.map(({ hash }) => hash));
  const safe = facts.safe?.number ?? -1;
  for (const block of chain.line) await expectBlockEqual(explorer, block, block.number <= finalized ? 'finalized' : block.number <= safe ? 'safe' : 'canonical');
}

async function expectBlockEqual(explorer: ChainExplorer, { number, block, receipts }: RecordedBlock, finality: string): Promise<void> {
  const node = JSON.parse(block.toString()) as Fields & { readonly transactions: readonly Fields[] };
  const outcomes = JSON.parse(receipts.toString()) as readonly Fields[];
  const { asOf: _, verification: _verification, ...answer } = asJson(await explorer.block(CHAIN_ID, number));
  expect(answer).toEqual({ ...blockAsWritten(node), finality, verified: true });
  const { items } = await explorer.blockTransactions(CHAIN_ID, number, { limit: 500, order: 'asc' });
  expect(asJson({ items })['items']).toEqual(node.transactions.map((one, at) => ({ ...summaryAsWritten(one, outcomes[at] as Fields), finality })));
  for (const [at, transaction] of node.transactions.entries()) {
    const { asOf: _asOf, inclusions: _inclusions, ...whole } = asJson(await explorer.transaction(CHAIN_ID, transaction['hash'] as Hex));
    expect(whole).toEqual({ ...transactionAsWritten(transaction, outcomes[at] as Fields), finality });
  }
}

/** A generation built from the log alone has the same bytes as the one that grew with it. */
export async function expectRebuiltSame({ life }: World): Promise<void> {
  const read = life.read as ReadSide;
  const live = read.dump();
  await read.rebuild();
  await read.caughtUp();
  const rebuilt = read.dump();
  expect(live.length).toBeGreaterThan(0);
  expect(rebuilt === live ? 'the same' : firstDifference(live, rebuilt)).toBe('the same');
}

function firstDifference(one: string, other: string): string {
  const [left, right] = [one.split('\n'), other.split('\n')];
  const at = left.findIndex((line, place) => line !== right[place]);
  return `line ${at}: ${left[at] ?? 'nothing'} but rebuilt ${right[at] ?? 'nothing'}`;
}

function asJson(answer: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(answer)) as Record<string, unknown>;
}
