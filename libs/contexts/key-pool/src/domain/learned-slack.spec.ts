import { LearnedSlack } from './learned-slack.ts';

const DAY_MS = 86_400_000;

describe('learned slack', () => {
  it('doubles with each refusal that should not have come, to at most a window', () => {
    const slack = new LearnedSlack(40);
    const extras = [0, 10, 20, 30, 40, 50].map((at) => (slack.learn(at, at + 5, 1_000), slack.extraMs(at + 5)));
    expect(extras).toEqual([40, 120, 280, 600, 960, 960]);
  });

  it('learns once from what was sent before it learned', () => {
    const slack = new LearnedSlack(40);
    slack.learn(0, 100, 1_000);
    slack.learn(90, 110, 1_000);
    expect(slack.extraMs(110)).toBe(40);
  });

  it('begins somewhere where no slack is documented, and forgets by half a day', () => {
    const slack = new LearnedSlack(0);
    slack.learn(0, 0, 1_000);
    slack.learn(1, 1, 1_000);
    expect([slack.extraMs(2), slack.extraMs(DAY_MS + 1), slack.extraMs(2 * DAY_MS + 1), slack.extraMs(30 * DAY_MS)]).toEqual([40, 20, 10, 0]);
  });
});
