import type { Fault } from '#platform/testing';
import type { Misdeed } from '../load/replay-faults.ts';
import { LIES } from './lies.ts';
import { SeededRandom } from './seeded-random.ts';

export type Announce = 'each' | 'last' | 'none';
/** `first` is preferred by the capture and may do wrong; `second` is honest, but may be late or away. */
export type Provider = 'first' | 'second';

/** What happens next. All of it is drawn beforehand, so that a seed says the whole history. */
export type Step =
  | { readonly kind: 'grow'; readonly blocks: number; readonly flavour: number; readonly announce: Announce }
  | { readonly kind: 'branch'; readonly depth: number; readonly length: number; readonly flavour: number; readonly announce: Announce }
  | { readonly kind: 'come back'; readonly announce: Announce }
  | { readonly kind: 'roll back'; readonly depth: number }
  | { readonly kind: 'finalize'; readonly behind: number; readonly gap: number }
  | { readonly kind: 'lie'; readonly lie: string; readonly times: number }
  | { readonly kind: 'misbehave'; readonly does: Misdeed; readonly method: string | undefined; readonly times: number }
  | { readonly kind: 'be honest' }
  | { readonly kind: 'go away'; readonly provider: Provider }
  | { readonly kind: 'come again'; readonly provider: Provider }
  | { readonly kind: 'fall behind' }
  | { readonly kind: 'catch up' }
  | { readonly kind: 'lose an answer of the store'; readonly faults: readonly Fault[] }
  | { readonly kind: 'crash'; readonly appends: number; readonly written: boolean; readonly scheme: 'http' | 'ws' }
  | { readonly kind: 'backfill'; readonly from: number; readonly blocks: number }
  | { readonly kind: 'restart projections' }
  | { readonly kind: 'rebuild' }
  | { readonly kind: 'time passes'; readonly ms: number }
  | { readonly kind: 'rest' };

/** With real milliseconds until the next one. */
export type Planned = Step & { readonly pauseMs: number };

export interface History {
  readonly seed: number;
  /** Capture starts here; what stands below is for backfills, and no branch leaves below it. */
  readonly startBlock: number;
  readonly blocksAtStart: number;
  readonly steps: readonly Planned[];
}

export function drawHistory(seed: number): History {
  const random = new SeededRandom(seed);
  const startBlock = random.between(0, 12);
  const blocksAtStart = startBlock + random.between(2, 10);
  const steps = Array.from({ length: random.between(60, 150) }, () => ({ ...drawStep(random, startBlock), pauseMs: random.oneOf([0, 0, 2, 10, 25, 50]) }));
  return { seed, startBlock, blocksAtStart, steps };
}

const ANNOUNCE: readonly Announce[] = ['each', 'each', 'last', 'none'];

function drawStep(random: SeededRandom, startBlock: number): Step {
  const announce = random.oneOf(ANNOUNCE);
  const flavour = random.between(0, 1_000);
  const provider = random.oneOf<Provider>(['first', 'second']);
  return random.weighed<() => Step>([
    [24, () => ({ kind: 'grow', blocks: random.between(0, 5), flavour, announce })],
    [10, () => ({ kind: 'branch', depth: random.between(1, 8), length: random.between(1, 9), flavour, announce })],
    [4, () => ({ kind: 'come back', announce })],
    [3, () => ({ kind: 'roll back', depth: random.between(1, 4) })],
    [6, () => ({ kind: 'finalize', behind: random.between(1, 6), gap: random.between(2, 8) })],
    [8, () => ({ kind: 'lie', lie: random.oneOf(LIES).name, times: random.oneOf([1, 1, 2, 4, 1_000]) })],
    [8, () => drawMisdeed(random)],
    [8, () => ({ kind: 'be honest' })],
    [3, () => ({ kind: 'go away', provider })],
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
function drawMisdeed(random: SeededRandom): Step {
  const times = random.oneOf([1, 1, 2, 5]);
  const body = random.oneOf<string | undefined>([undefined, 'eth_getBlockByHash', 'eth_getBlockReceipts', 'eth_getBlockByNumber']);
  return random.weighed<() => Step>([
    [2, () => ({ kind: 'misbehave', does: { kind: 'truncate', keep: random.between(0, 400) }, method: undefined, times })],
    [3, () => ({ kind: 'misbehave', does: { kind: 'null' }, method: random.oneOf(['eth_getBlockByHash', 'eth_getBlockReceipts', 'eth_getBlockByNumber']), times })],
    [2, () => ({ kind: 'misbehave', does: { kind: 'delay', ms: random.oneOf([20, 60, 400]) }, method: body, times: 1 })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'omit' }, method: body, times })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'mute' }, method: body, times: 1 })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'cut' }, method: body, times })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'raw', body: '<html>bad gateway</html>' }, method: body, times })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'status', status: random.oneOf([429, 502, 503]), body: 'try later' }, method: body, times })],
    [1, () => ({ kind: 'misbehave', does: { kind: 'error', code: -32603, message: 'internal error' }, method: body, times })],
  ])();
}

export function tell(history: History): string {
  const lines = history.steps.map(({ pauseMs, kind, ...details }, at) => `${at}: ${kind} ${JSON.stringify(details)}${pauseMs > 0 ? `, then ${pauseMs} ms` : ''}`);
  return [`seed ${history.seed}: ${history.blocksAtStart} blocks, captured from ${history.startBlock} on`, ...lines].join('\n');
}
