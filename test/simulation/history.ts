import { drawClientStep, drawClockStep, drawProcessStep, drawSecondProvider, drawSinkStep } from './draw-concerns.ts';
import { drawStep } from './draw-world.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Planned, Step } from './steps.ts';

export interface History {
  readonly seed: number;
  /** Capture starts here; what stands below is for backfills, and no branch leaves below it. */
  readonly startBlock: number;
  readonly blocksAtStart: number;
  /** Where the log is kept: mostly in memory, which is faster; sometimes the file and the writer's thread of the product. */
  readonly log: 'memory' | 'sqlite';
  readonly steps: readonly Planned[];
}

/** How often something of each happens between two steps of the world. */
const CONCERNS: readonly { readonly name: string; readonly chance: number; readonly draw: (random: SeededRandom, startBlock: number) => Step }[] = [
  { name: 'second provider', chance: 0.1, draw: drawSecondProvider },
  { name: 'sink', chance: 0.14, draw: drawSinkStep },
  { name: 'clock', chance: 0.05, draw: drawClockStep },
  { name: 'process', chance: 0.07, draw: drawProcessStep },
  { name: 'client', chance: 0.12, draw: drawClientStep },
];

/**
 * The one scheduler of everything that happens. The same seed always gives the same plan. The world and each concern draw
 * from a sequence of their own, so that a new concern changes nothing of what kept seeds plan for the others.
 */
export function drawHistory(seed: number): History {
  const random = new SeededRandom(seed);
  const startBlock = random.between(0, 12);
  const blocksAtStart = startBlock + random.between(2, 10);
  const concerns = CONCERNS.map((concern) => ({ ...concern, random: new SeededRandom(mix(seed, concern.name)) }));
  const steps: Planned[] = [];
  for (let left = random.between(60, 150); left > 0; left -= 1) {
    steps.push({ ...drawStep(random, startBlock), pauseMs: random.oneOf([0, 0, 2, 10, 25, 50]) });
    for (const { chance, draw, random: own } of concerns) if (own.next() < chance) steps.push({ ...draw(own, startBlock), pauseMs: own.oneOf([0, 0, 5, 20]) });
  }
  const log = new SeededRandom(mix(seed, 'log')).next() < 0.3 ? 'sqlite' : 'memory';
  return { seed, startBlock, blocksAtStart, log, steps };
}

/** FNV-1a. */
function mix(seed: number, name: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}

export function tell(history: History): string {
  const lines = history.steps.map(({ pauseMs, kind, ...details }, at) => `${at}: ${kind} ${JSON.stringify(details)}${pauseMs > 0 ? `, then ${pauseMs} ms` : ''}`);
  return [`seed ${history.seed}: ${history.blocksAtStart} blocks, captured from ${history.startBlock} on, log in ${history.log}`, ...lines].join('\n');
}
