import { drawMisdeed } from './draw-world.ts';
import { CONTENT_LIES } from './lies.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Provider, SinkFault, Step } from './steps.ts';

const SECOND = { provider: 'second' } as const;

export function drawSecondProvider(random: SeededRandom): Step {
  const provider = random.oneOf<Provider>(['first', 'second']);
  return random.weighed<() => Step>([
    [6, () => drawMisdeed(random, 'second')],
    [4, () => ({ kind: 'lie', ...SECOND, lie: random.oneOf(CONTENT_LIES).name, times: random.oneOf([1, 2, 4]) })],
    [4, () => ({ kind: 'be honest', ...SECOND })],
    [2, () => ({ kind: 'go away', provider, how: 'mute' })],
    [3, () => ({ kind: 'come again', provider })],
    [3, () => ({ kind: 'announce again', below: random.between(0, 6) })],
  ])();
}

export function drawSinkStep(random: SeededRandom): Step {
  return random.weighed<() => Step>([
    [8, () => ({ kind: 'fail the sink', faults: Array.from({ length: random.between(1, 5) }, () => random.oneOf<SinkFault>(['none', 'busy', 'full', 'lost', 'rival'])) })],
    [3, () => ({ kind: 'poison', after: random.between(0, 40) })],
    [4, () => ({ kind: 'cure' })],
    [2, () => ({ kind: 'rebuild' })],
    [2, () => ({ kind: 'activate' })],
  ])();
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

export function drawClockStep(random: SeededRandom): Step {
  return random.weighed<() => Step>([
    [4, () => ({ kind: 'the wall jumps', ms: random.oneOf([-1, 1]) * random.oneOf([SECOND_MS, 60 * SECOND_MS, DAY_MS, 400 * DAY_MS]) })],
    [2, () => ({ kind: 'the wall drifts', rate: random.oneOf([-1, 0, 0.5, 0.99, 1, 1.01, 3]) })],
    [1, () => ({ kind: 'time passes', ms: random.oneOf([100, 600_000, DAY_MS]) })],
  ])();
}

export function drawProcessStep(random: SeededRandom): Step {
  const scheme = random.oneOf<'http' | 'ws'>(['http', 'ws']);
  return random.weighed<() => Step>([
    [4, () => ({ kind: 'crash', at: 'commit', appends: random.between(1, 6), written: random.next() < 0.5, scheme })],
    [3, () => ({ kind: 'stop and start', scheme })],
    [3, () => ({ kind: 'another owner comes' })],
    [3, () => ({ kind: 'the other owner goes', orderly: random.next() < 0.5 })],
    [2, () => ({ kind: 'kill the writer' })],
  ])();
}

/** Small ranges below the first block that is followed, so that there is room for many. */
export function drawClientStep(random: SeededRandom, startBlock: number): Step {
  const from = random.between(0, Math.max(0, startBlock - 1));
  return random.weighed<() => Step>([
    [2, () => ({ kind: 'backfill', from, blocks: random.between(1, 2) })],
    [5, () => ({ kind: 'backfill and cancel', from, blocks: random.between(1, 3), afterMs: random.oneOf([0, 0, 1, 3, 8]) })],
    [1, () => ({ kind: 'cancel a backfill', back: random.between(0, 3) })],
    [4, () => ({ kind: 'repeat a command', back: random.between(0, 9) })],
  ])();
}
