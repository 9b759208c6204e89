import { setTimeout as wait } from 'node:timers/promises';
import type { BusyProduct } from './busy-product.ts';

export type Questions = readonly (readonly [kind: string, path: (at: number) => string])[];

/** What users ask most, of blocks that are there already. */
export async function usualQuestions(product: BusyProduct, chainId: string): Promise<Questions> {
  const { items: blocks } = (await product.get(`/chains/${chainId}/blocks?limit=20`)) as { items: { number: number }[] };
  const { items: transactions } = (await product.get(`/chains/${chainId}/blocks/${blocks[0]?.number}/transactions?limit=40`)) as { items: { hash: string; to: string }[] };
  const of = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length];
  return [
    ['page', () => `/chains/${chainId}/blocks?limit=25`],
    ['address', (at) => `/chains/${chainId}/addresses/${of(transactions, at)?.to}/transactions?limit=25`],
    ['block-body', (at) => `/chains/${chainId}/blocks/${of(blocks, at)?.number}/transactions?limit=25`],
    ['transaction', (at) => `/chains/${chainId}/transactions/${of(transactions, at)?.hash}`],
  ];
}

/** Asks at even times, whether or not what was asked before is answered, until `done`; how long each took, by kind. */
export async function readEvenly(product: BusyProduct, questions: Questions, perSecond: number, done: Promise<unknown>): Promise<ReadonlyMap<string, readonly number[]>> {
  const took = new Map<string, number[]>(questions.map(([kind]) => [kind, []]));
  const open = new Set<Promise<void>>();
  let going = true;
  const over = done.finally(() => (going = false));
  const started = performance.now();
  for (let at = 0; going; ) {
    for (; performance.now() - started >= (at * 1_000) / perSecond; at += 1) {
      const [kind, path] = questions[at % questions.length] as Questions[number];
      const sent = performance.now();
      const asking = product.get(path(Math.floor(at / questions.length))).then(() => void took.get(kind)?.push(performance.now() - sent));
      const kept: Promise<void> = asking.finally(() => open.delete(kept));
      open.add(kept);
    }
    await wait(1);
  }
  await over;
  await Promise.all(open);
  return took;
}

/** As one user asks: the next question a moment after the answer, until `done`; how long each took. */
export async function readInTurn(product: BusyProduct, questions: Questions, pauseMs: number, done: Promise<unknown>): Promise<readonly number[]> {
  const took: number[] = [];
  let going = true;
  const over = done.finally(() => (going = false));
  for (let at = 0; going; at += 1) {
    const [, path] = questions[at % questions.length] as Questions[number];
    const asked = performance.now();
    await product.get(path(Math.floor(at / questions.length)));
    took.push(performance.now() - asked);
    await wait(pauseMs);
  }
  await over;
  return took;
}
