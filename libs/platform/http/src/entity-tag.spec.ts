import { isSame, versioned } from './entity-tag.ts';

const tagOf = (body: object, volatile?: readonly string[]) => versioned(body, volatile).etag;

describe('the version of an answer', () => {
  it('is that of what is shown, not of the moment it was read at', () => {
    expect(tagOf({ number: 1, asOf: 'xlog:001' })).toBe(tagOf({ number: 1, asOf: 'xlog:002' }));
    expect(tagOf({ number: 1, asOf: 'xlog:001' })).not.toBe(tagOf({ number: 2, asOf: 'xlog:001' }));
    expect(tagOf({ number: 1, age: 5 }, ['age'])).toBe(tagOf({ number: 1, age: 6 }, ['age']));
  });

  it('is another one on another log, whose positions the client must not mix', () => {
    expect(tagOf({ number: 1, asOf: 'xlog:001' })).not.toBe(tagOf({ number: 1, asOf: 'xother:001' }));
  });

  it('begins with the revision, so that If-Match takes it whole', () => {
    expect(tagOf({ revision: 7, asOf: 'xlog:001' })).toMatch(/^"7\./);
  });

  it('keeps asOf in the text', () => {
    expect(JSON.parse(versioned({ a: 1, asOf: 'xlog:001' }).text)).toEqual({ a: 1, asOf: 'xlog:001' });
    expect(JSON.parse(versioned({ asOf: 'xlog:001' }).text)).toEqual({ asOf: 'xlog:001' });
  });

  it('is compared weakly, in lists and by star', () => {
    expect([isSame('W/"a"', '"a"'), isSame('"b", "a"', '"a"'), isSame('*', '"a"'), isSame('"b"', '"a"'), isSame(undefined, '"a"')]).toEqual([true, true, true, false, false]);
  });
});
