import { RecentForms } from './recent-forms.ts';

describe('forms that were shown lately', () => {
  const recent = new RecentForms(1_000);
  const made: string[] = [];
  const ask = (key: string, bytes = 10): object => recent.of(key, () => (made.push(key), { form: { key }, bytes }));

  beforeEach(() => {
    made.length = 0;
  });

  it('are made once and shared while there is room', () => {
    expect(ask('a')).toBe(ask('a'));
    expect(made).toEqual(['a']);
  });

  it('give way to newer ones, those first that nobody asked for longest, and never take more than their room', () => {
    for (let at = 0; at < 100; at += 1) {
      ask(`n${at}`);
      ask('a');
    }
    expect(recent.bytes).toBe(1_000);
    made.length = 0;
    ask('a');
    ask('n99');
    ask('n0');
    expect(made).toEqual(['n0']);
  });

  it('are not kept when one is large, so that it pushes nothing out', () => {
    ask('a');
    ask('huge', 11);
    ask('huge', 11);
    expect(made).toEqual(['huge', 'huge']);
    expect(recent.bytes).toBe(1_000);
  });

  it('leave nothing behind of a row that could not be read', () => {
    expect(() => recent.of('broken', () => { throw new Error('its chunk is missing'); })).toThrow('missing');
    ask('broken');
    expect(made).toEqual(['broken']);
  });
});
