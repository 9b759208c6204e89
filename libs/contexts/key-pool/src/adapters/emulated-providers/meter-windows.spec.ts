import fc from 'fast-check';
import { meterWindow } from './meter-windows.ts';

const SHAPE = { units: 500, windowMs: 1_000 };
const SPENDING = fc.array(fc.record({ after: fc.integer({ min: 0, max: 700 }), units: fc.integer({ min: 1, max: 200 }) }), { minLength: 1, maxLength: 60 });

/** Spends what fits, as long as it fits; where and how much of it was let through. */
function spend(model: 'tumbling' | 'rolling' | 'bucket', plan: readonly { after: number; units: number }[], phaseMs = 0): { at: number; units: number }[] {
  const window = meterWindow(model, { ...SHAPE, phaseMs });
  const passed: { at: number; units: number }[] = [];
  let at = 0;
  for (const { after, units } of plan) {
    at += after;
    if (window.left(at) < units) continue;
    window.add(units, at);
    passed.push({ at, units });
  }
  return passed;
}

const sumOf = (passed: readonly { units: number }[]): number => passed.reduce((sum, { units }) => sum + units, 0);

describe('how providers count in windows', () => {
  it('a tumbling window lets twice its units through around a border, and a rolling one does not', () => {
    const burst = (model: 'tumbling' | 'rolling'): number => {
      const window = meterWindow(model, SHAPE);
      window.add(500, 999);
      return window.left(1_000);
    };
    expect(burst('tumbling')).toBe(500);
    expect(burst('rolling')).toBe(0);
  });

  it('where a tumbling window begins is a matter of its phase', () => {
    const window = meterWindow('tumbling', { ...SHAPE, phaseMs: 300 });
    window.add(500, 650);
    expect([window.left(699), window.left(700)]).toEqual([0, 500]);
    expect(window.waitMs(1, 700)).toBe(0);
  });

  it('what is exactly a window old counts no more where it rolls', () => {
    const window = meterWindow('rolling', SHAPE);
    window.add(300, 0);
    window.add(200, 400);
    expect([window.left(999.9), window.left(1_000), window.left(1_400)]).toEqual([0, 300, 500]);
  });

  it('a bucket holds one burst and then only what drips in', () => {
    const window = meterWindow('bucket', SHAPE);
    window.add(500, 0);
    expect([window.left(0), window.left(100), window.left(5_000)]).toEqual([0, 50, 500]);
  });

  it.each(['tumbling', 'rolling', 'bucket'] as const)('%s: waiting as long as it says is enough, and not too long', (model) => {
    fc.assert(
      fc.property(SPENDING, fc.integer({ min: 1, max: 500 }), (plan, units) => {
        const window = meterWindow(model, { ...SHAPE, phaseMs: 137 });
        let at = 0;
        for (const one of plan) {
          at += one.after;
          if (window.left(at) >= one.units) window.add(one.units, at);
        }
        const wait = window.waitMs(units, at);
        if (wait > 1) expect(window.left(at + wait - 1)).toBeLessThan(units);
        expect(window.left(at + wait)).toBeGreaterThanOrEqual(units - 1e-6);
      }),
    );
    expect(meterWindow(model, SHAPE).waitMs(501, 0)).toBe(Infinity);
  });

  it('no stretch of its length holds more than its units where it rolls, and none between two borders where it tumbles', () => {
    fc.assert(
      fc.property(SPENDING, fc.integer({ min: 0, max: 999 }), (plan, phaseMs) => {
        const rolled = spend('rolling', plan);
        for (const { at } of rolled) expect(sumOf(rolled.filter((one) => one.at > at - 1_000 && one.at <= at))).toBeLessThanOrEqual(500);
        const tumbled = spend('tumbling', plan, phaseMs);
        const windows = Map.groupBy(tumbled, ({ at }) => Math.floor((at + phaseMs) / 1_000));
        for (const one of windows.values()) expect(sumOf(one)).toBeLessThanOrEqual(500);
      }),
    );
  });

  it('remembers the most that stood in one window, and counts what came although it did not fit', () => {
    const window = meterWindow('tumbling', SHAPE);
    window.add(450, 10);
    window.add(100, 20);
    window.add(100, 1_500);
    expect([window.peak, window.left(1_500)]).toEqual([550, 400]);
  });
});
