import fc from 'fast-check';
import { AnswerTimes } from './answer-times.ts';
import { RollingWindow } from './rolling-window.ts';

interface Request {
  readonly units: number;
  readonly sentAt: number;
  readonly meteredAt: number;
  readonly answeredAt: number;
}

/** The provider: whether it takes a request of so many units at this time. */
type Meter = (units: number, at: number) => boolean;

function tumbling(limit: number, windowMs: number, phase: number): Meter {
  let [window, used] = [-1, 0];
  return (units, at) => {
    const current = Math.floor((at - phase) / windowMs);
    if (current !== window) [window, used] = [current, 0];
    return (used += units) <= limit;
  };
}

function rolling(limit: number, windowMs: number): Meter {
  const taken: { readonly at: number; readonly units: number }[] = [];
  return (units, at) => {
    taken.push({ at, units });
    return taken.filter((one) => one.at > at - windowMs).reduce((sum, one) => sum + one.units, 0) <= limit;
  };
}

function tokenBucket(limit: number, windowMs: number): Meter {
  let [tokens, filledAt] = [limit, -Infinity];
  return (units, at) => {
    tokens = Math.min(limit, tokens + Math.max(0, at - filledAt) * (limit / windowMs));
    filledAt = at;
    return (tokens -= units) > -1e-6;
  };
}

interface Draw {
  readonly units: number;
  readonly idleMs: number;
  readonly unsentMs: number;
  /** Of the way to the meter, as a part of the slack. */
  readonly jitter: number;
  readonly restMs: number;
  readonly stuckMs: number;
}

/** Of 256: sums of times stay exact, so that a window that ends to the very moment is no matter of rounding. */
const part = fc.integer({ min: 0, max: 256 }).map((of256) => of256 / 256);
const draw = fc.record<Draw>({
  units: fc.constantFrom(5, 20, 80, 80, 80, 255, 500),
  idleMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, 30, 400, 999, 1_001, 2_500),
  unsentMs: fc.constantFrom(0, 0, 0, 1, 60),
  jitter: part,
  restMs: fc.integer({ min: 0, max: 300 }),
  stuckMs: fc.integer({ min: 0, max: 2_500 }),
});

const setting = fc.record({
  windowMs: fc.constantFrom(1_000, 10_000),
  slackMs: fc.constantFrom(0, 40, 250),
  phase: part,
  startsAt: fc.constantFrom(0, 7.25, 1_700_000_000_000.3),
  draws: fc.array(draw, { minLength: 20, maxLength: 120 }),
});

const LIMIT = 500;
/** Every so many requests, one is stuck on its way to the meter. */
const STUCK_EVERY = 25;
const SHORTEST_WAY_MS = 15;

/** Each is sent as soon as the window lets it; answers come when they come. */
function send(window: RollingWindow, { slackMs, startsAt, draws }: { readonly slackMs: number; readonly startsAt: number; readonly draws: readonly Draw[] }): readonly Request[] {
  const answers = new AnswerTimes();
  const requests: Request[] = [];
  const open: Request[] = [];
  let now = startsAt;
  const answer = (until: number): void => {
    for (;;) {
      const next = open.toSorted((a, b) => a.answeredAt - b.answeredAt)[0];
      if (next === undefined || next.answeredAt > until) return;
      open.splice(open.indexOf(next), 1);
      now = Math.max(now, next.answeredAt);
      const ms = next.answeredAt - next.sentAt;
      window.answered(next.units, { ...next, lateMs: answers.lateMs(ms) });
      answers.add(ms);
    }
  };
  for (const [turn, { units, idleMs, unsentMs, jitter, restMs, stuckMs }] of draws.entries()) {
    answer(now + idleMs);
    now += idleMs;
    for (let waitMs = window.waitMs(units, now); waitMs > 0; waitMs = window.waitMs(units, now)) {
      const soonest = Math.min(now + waitMs, ...open.map(({ answeredAt }) => answeredAt));
      answer(soonest);
      now = Math.max(now, soonest);
    }
    window.take(units);
    const stuck = turn % STUCK_EVERY === STUCK_EVERY - 1 ? 300 + stuckMs : 0;
    const sentAt = now + unsentMs;
    const meteredAt = sentAt + SHORTEST_WAY_MS + jitter * slackMs + stuck;
    const request = { units, sentAt, meteredAt, answeredAt: meteredAt + 20 + (stuck > 0 ? 300 + slackMs : restMs) };
    requests.push(request);
    open.push(request);
  }
  return requests;
}

const METERS: readonly (readonly [string, (windowMs: number, phase: number) => Meter])[] = [
  ['tumbling windows of any phase', (windowMs, phase) => tumbling(LIMIT, windowMs, phase * windowMs)],
  ['rolling windows', (windowMs) => rolling(LIMIT, windowMs)],
  ['a token bucket', (windowMs) => tokenBucket(LIMIT, windowMs)],
];

describe('a window', () => {
  it.each(METERS)('never lets more through than %s take, whatever happens on the way within the slack', (_, meterOf) => {
    fc.assert(
      fc.property(setting, ({ windowMs, slackMs, phase, startsAt, draws }) => {
        const requests = send(new RollingWindow({ units: LIMIT, windowMs, slackMs }), { slackMs, startsAt, draws });
        const meter = meterOf(windowMs, phase);
        for (const { units, meteredAt } of requests.toSorted((a, b) => a.meteredAt - b.meteredAt)) if (!meter(units, meteredAt)) return false;
        return true;
      }),
      { numRuns: 3_000 },
    );
  });

  it('would be refused without its slack: the models do see', () => {
    const refused = fc.check(
      fc.property(setting, ({ windowMs, phase, startsAt, draws }) => {
        const requests = send(new RollingWindow({ units: LIMIT, windowMs, slackMs: 0 }), { slackMs: 250, startsAt, draws });
        const meter = tumbling(LIMIT, windowMs, phase * windowMs);
        return requests.toSorted((a, b) => a.meteredAt - b.meteredAt).every(({ units, meteredAt }) => meter(units, meteredAt));
      }),
      { numRuns: 1_000, seed: 5 },
    );
    expect(refused.failed).toBe(true);
  });

  it('lets no burst through at the border of two windows of the provider', () => {
    const window = new RollingWindow({ units: 500, windowMs: 1_000, slackMs: 40 });
    for (let turn = 0; turn < 6; turn += 1) {
      expect(window.waitMs(80, 990)).toBe(0);
      window.take(80);
      window.answered(80, { sentAt: 990, answeredAt: 1_090, lateMs: 0 });
    }
    expect(window.waitMs(80, 1_090)).toBe(990 + 1_000 + 40 - 1_090);
    expect(window.waitMs(20, 1_090)).toBe(0);
  });

  it.each([
    { windowMs: 1_000, slackMs: 40, units: 80 },
    { windowMs: 10_000, slackMs: 40, units: 20 },
  ])('is not stricter than it must be: of constant demand at least 95 % of what whole calls allow passes, $windowMs ms', ({ windowMs, slackMs, units }) => {
    const calls = Math.floor(LIMIT / units);
    const draws = Array.from({ length: calls * 41 }, (_, turn): Draw => ({ units, idleMs: 0, unsentMs: 0, jitter: (turn % 7) / 7, restMs: (turn * 37) % 300, stuckMs: 0 }));
    const requests = send(new RollingWindow({ units: LIMIT, windowMs, slackMs }), { slackMs, startsAt: 0, draws }).filter(({ sentAt }) => sentAt < windowMs * 40);
    expect(requests.length / (calls * 40)).toBeGreaterThan(0.95);
  });

  it('holds what is unanswered for as long as that takes, and after that once more', () => {
    const window = new RollingWindow({ units: 100, windowMs: 1_000, slackMs: 40 });
    window.take(100);
    expect(window.waitMs(1, 60_000)).toBe(Infinity);
    window.unanswered(100, 60_000);
    expect(window.waitMs(1, 60_000)).toBe(1_040);
  });

  it('is free again at once of what was not sent', () => {
    const window = new RollingWindow({ units: 100, windowMs: 1_000, slackMs: 40 });
    window.take(100);
    window.giveBack(100);
    expect(window.waitMs(100, 0)).toBe(0);
  });

  it('goes below nothing where more was spent than there was, and waits until that is made up for', () => {
    const window = new RollingWindow({ units: 100, windowMs: 1_000, slackMs: 40 });
    for (const at of [0, 300]) {
      window.take(100);
      window.answered(100, { sentAt: at, answeredAt: at, lateMs: 0 });
    }
    expect([window.held(300), window.waitMs(50, 300)]).toEqual([200, 1_000]);
  });

  it('tells what it held with the times of another clock just the same', () => {
    fc.assert(
      fc.property(fc.array(draw, { minLength: 10, maxLength: 60 }), fc.integer({ min: -1_000_000, max: 1_000_000 }), (draws, shift) => {
        const at = (startsAt: number) => send(new RollingWindow({ units: LIMIT, windowMs: 1_000, slackMs: 40 }), { slackMs: 40, startsAt, draws: draws.map((one) => ({ ...one, jitter: 0.5 })) }).map(({ sentAt }) => sentAt - startsAt);
        expect(at(shift)).toEqual(at(0));
      }),
      { numRuns: 50 },
    );
  });
});
