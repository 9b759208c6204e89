import { ChainfoldError } from '#platform/kernel';
import { ManualClock } from '#platform/testing';
import type { ExchangeAnswer } from '../contracts/index.ts';
import { DeskTalk } from './desk-talk.ts';

const ANSWER: ExchangeAnswer = { leases: [], againInMs: 100, keys: 1, closed: [] };
const invalid = (where: string): ChainfoldError => new ChainfoldError('A message can not be read', { code: 'worker-message-invalid', kind: 'invalid', facts: { where, rule: 'invalid_type' }, hint: 'Run the same version on both sides.' });

describe('the talk with the desk', () => {
  let lines: [level: string, fields: object, text: string][];
  const talk = (...answers: (ExchangeAnswer | Error)[]): DeskTalk => {
    const clock = new ManualClock(0);
    const write = (level: string) => (fields: object, text: string) => void lines.push([level, fields, text]);
    const exchange = (): Promise<ExchangeAnswer> => {
      const next = answers.shift();
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? ANSWER);
    };
    return new DeskTalk({ holder: 'worker.1', provider: 'infura', desk: { exchange }, clock, now: () => clock.monotonic(), random: () => 0.5, log: { info: write('info'), warn: write('warn'), error: write('error') } });
  };
  const exchanges = async (one: DeskTalk, times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) await one.exchange([], [], 0, () => undefined);
  };

  beforeEach(() => {
    lines = [];
  });

  it('tells at once and once that a message can not be read, for it never will be, also where others are answered', async () => {
    await exchanges(talk(invalid('settlements.0'), ANSWER, invalid('settlements.0'), ANSWER, invalid('wanted.more')), 5);
    const told = (where: string): unknown => ['error', { holder: 'worker.1', provider: 'infura', reason: 'A message can not be read', where, rule: 'invalid_type', hint: 'Run the same version on both sides.' }, 'the desk refuses what it is told'];
    expect(lines).toEqual([told('settlements.0'), told('wanted.more')]);
  });

  it('tells of a desk that is away only when that lasts', async () => {
    const away = new Error('no way to the desk');
    await exchanges(talk(away, away, ANSWER, away, away, away, ANSWER), 7);
    expect(lines.map(([level, , text]) => `${level} ${text}`)).toEqual(['warn budgets can not be leased', 'info budgets can be leased again']);
  });
});
