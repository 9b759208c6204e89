import type { Fault } from '#platform/testing';
import { LIES } from './lies.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Announce, Provider, Step } from './steps.ts';

const ANNOUNCE: readonly Announce[] = ['each', 'each', 'last', 'none'];

/** The chain, its first provider, the store: what the kept seeds began with. A change here changes what every seed plans. */
export function drawStep(random: SeededRandom, startBlock: number): Step {
  const announce = random.oneOf(ANNOUNCE);
  const flavour = random.between(0, 1_000);
  const provider = random.oneOf<Provider>(['first', 'second']);
  return random.weighed<() => Step>([
    [24, () => ({ kind: 'grow', blocks: random.between(0, 5), flavour, announce })],
    [10, () => ({ kind: 'branch', depth: random.between(1, 8), length: random.between(1, 9), flavour, announce })],
    [4, () => ({ kind: 'come back', announce })],
    [3, () => ({ kind: 'roll back', depth: random.between(1, 4) })],
    [6, () => ({ kind: 'finalize', behind: random.between(1, 6), gap: random.between(2, 8) })],
    [8, () => ({ kind: 'lie', provider: 'first', lie: random.oneOf(LIES).name, times: random.oneOf([1, 1, 2, 4, 1_000]) })],
    [8, () => drawMisdeed(random, 'first')],
    [8, () => ({ kind: 'be honest', provider: 'first' })],
    [3, () => ({ kind: 'go away', provider, how: 'cut' })],
    [4, () => ({ kind: 'come again', provider })],
    [3, () => ({ kind: 'fall behind' })],
    [4, () => ({ kind: 'catch up' })],
    [6, () => ({ kind: 'lose an answer of the store', faults: Array.from({ length: random.between(1, 3) }, () => random.oneOf<Fault>(['lost-after', 'lost-before', 'late', 'repeated', 'none', 'unavailable'])) })],
    [5, () => ({ kind: 'crash', appends: random.between(0, 6), written: random.next() < 0.5, scheme: random.oneOf(['http', 'ws']) })],
    [3, () => ({ kind: 'backfill', from: random.between(0, Math.max(0, startBlock - 1)), blocks: random.between(1, 6) })],
    [3, () => ({ kind: 'restart projections' })],
    [2, () => ({ kind: 'rebuild' })],
    [4, () => ({ kind: 'time passes', ms: random.oneOf([1_000, 10_000, 60_000]) })],
    [6, () => ({ kind: 'rest' })],
  ])();
}

/** Answers that are no lies, only bad. */
export function drawMisdeed(random: SeededRandom, provider: Provider): Step {
  const times = random.oneOf([1, 1, 2, 5]);
  const body = random.oneOf<string | undefined>([undefined, 'eth_getBlockByHash', 'eth_getBlockReceipts', 'eth_getBlockByNumber']);
  const misbehave = (does: Extract<Step, { kind: 'misbehave' }>['does'], method = body, most = times): Step => ({ kind: 'misbehave', provider, does, method, times: most });
  return random.weighed<() => Step>([
    [2, () => ({ kind: 'misbehave', provider, does: { kind: 'truncate', keep: random.between(0, 400) }, method: undefined, times })],
    [3, () => misbehave({ kind: 'null' }, random.oneOf(['eth_getBlockByHash', 'eth_getBlockReceipts', 'eth_getBlockByNumber']))],
    [2, () => misbehave({ kind: 'delay', ms: random.oneOf([20, 60, 400]) }, body, 1)],
    [1, () => misbehave({ kind: 'omit' })],
    [1, () => misbehave({ kind: 'mute' }, body, 1)],
    [1, () => misbehave({ kind: 'cut' })],
    [1, () => misbehave({ kind: 'raw', body: '<html>bad gateway</html>' })],
    [1, () => misbehave({ kind: 'status', status: random.oneOf([429, 502, 503]), body: 'try later' })],
    [1, () => misbehave({ kind: 'error', code: -32603, message: 'internal error' })],
  ])();
}
