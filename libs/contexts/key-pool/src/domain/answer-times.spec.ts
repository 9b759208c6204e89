import fc from 'fast-check';
import { AnswerTimes } from './answer-times.ts';

describe('answer times', () => {
  it('know what nine in ten of the latest fifty took at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 10, maxLength: 200 }), (times) => {
        const answers = new AnswerTimes();
        for (const ms of times) answers.add(ms);
        const latest = times.slice(-50).sort((a, b) => a - b);
        expect(answers.usualMs).toBe(latest[Math.ceil(latest.length * 0.9) - 1]);
      }),
    );
  });

  it('take any answer for late while they know few', () => {
    const answers = new AnswerTimes();
    expect([answers.usualMs, answers.lateMs(120)]).toEqual([0, 120]);
    answers.add(100);
    answers.add(300);
    expect([answers.lateMs(120), answers.lateMs(80)]).toEqual([20, 0]);
  });
});
