import { SlotRhythm } from './slot-rhythm.ts';

const SLOT_MS = 12_000;

/** Asks a chain of fixed slots as the rhythm says; answers the questions for each block, and how late it was seen. */
function follow({ blocks, delayMs, missed = [], skewMs = 0 }: { blocks: number; delayMs: (block: number) => number; missed?: readonly number[]; skewMs?: number }): { questions: number[]; late: number[] } {
  const rhythm = new SlotRhythm();
  const slots = Array.from({ length: blocks + missed.length }, (_, slot) => slot).filter((slot) => !missed.includes(slot));
  const there = slots.map((slot, number) => ({ number, timeMs: slot * SLOT_MS, from: slot * SLOT_MS + delayMs(number) }));
  const questions: number[] = [];
  const late: number[] = [];
  let now = 0;
  let asked = 0;
  let known = -1;
  while (known < there.length - 1) {
    now += rhythm.nextInMs(now + skewMs) ?? 4_000;
    asked += 1;
    const newest = there.findLast(({ from }) => from <= now);
    if (newest === undefined || newest.number <= known) {
      rhythm.missed();
      continue;
    }
    rhythm.seen(newest, now + skewMs);
    questions.push(asked);
    late.push(now - newest.from);
    known = newest.number;
    asked = 0;
  }
  return { questions, late };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('asking in the rhythm of a chain', () => {
  const wobble = (block: number): number => 900 + ((block * 7919) % 400);

  it('takes hardly more than one question for a block, and sees it soon', () => {
    const { questions, late } = follow({ blocks: 200, delayMs: wobble });
    expect(mean(questions.slice(20))).toBeLessThan(1.4);
    expect(mean(late.slice(20))).toBeLessThan(SLOT_MS / 10);
  });

  it('does so too where the clocks differ', () => {
    const { questions } = follow({ blocks: 200, delayMs: wobble, skewMs: -3_600_000 });
    expect(mean(questions.slice(20))).toBeLessThan(1.4);
  });

  it('asks about a missed slot a few times, not all the time', () => {
    const { questions } = follow({ blocks: 200, delayMs: wobble, missed: [50, 90, 91, 150] });
    expect(Math.max(...questions.slice(20))).toBeLessThan(14);
    expect(mean(questions.slice(20))).toBeLessThan(1.6);
  });

  it('has no opinion on blocks without a rhythm', () => {
    const rhythm = new SlotRhythm();
    [0, 13_000, 15_000, 41_000, 48_000].forEach((timeMs, number) => rhythm.seen({ number, timeMs }, timeMs + 500));
    expect(rhythm.nextInMs(48_600)).toBeUndefined();
  });

  it('begins anew when the head falls', () => {
    const rhythm = new SlotRhythm();
    for (let number = 10; number < 16; number += 1) rhythm.seen({ number, timeMs: number * SLOT_MS }, number * SLOT_MS + 500);
    expect(rhythm.nextInMs(15 * SLOT_MS + 600)).toBeGreaterThan(10_000);
    rhythm.seen({ number: 3, timeMs: 16 * SLOT_MS }, 16 * SLOT_MS + 500);
    expect(rhythm.nextInMs(16 * SLOT_MS + 600)).toBeUndefined();
  });
});
