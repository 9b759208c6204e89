import { age, gasShare, grouped, roundedUnits, shorten, units, words } from './src/format.ts';

describe('what the page writes', () => {
  it('keeps amounts exact beyond what a number can hold', () => {
    expect(units('115792089237316195423570985008687907853269984665640564039457584007913129639935', 18)).toMatch(/^115.*\.584007913129639935$/);
    expect(units('1', 18)).toBe('0.000000000000000001');
    expect(units('2500000000', 9)).toBe('2.5');
    expect(gasShare('13000000000000000000000', '26000000000000000000000')).toBe(50);
  });

  it('says so when a table cell does not show all of an amount', () => {
    expect(roundedUnits('1234567890000000000', 18)).toBe('1.23456…');
    expect(roundedUnits('1', 18)).toBe('<0.00001');
    expect(roundedUnits('1500000000000000000', 18)).toBe('1.5');
  });

  it('leaves text that is no amount as it is', () => {
    expect(units('not-a-number', 18)).toBe('not-a-number');
    expect(grouped('0x12')).toBe('0x12');
    expect(gasShare('1', '0')).toBeUndefined();
    expect(gasShare(undefined, undefined)).toBeUndefined();
  });

  it('groups digits from five on', () => {
    expect([grouped(1234), grouped(12345), grouped('1234567')]).toEqual(['1234', '12\u202f345', '1\u202f234\u202f567']);
  });

  it('never shows a negative age when the clocks differ', () => {
    expect([age(5_000, 0), age(0, 59_999), age(0, 61_000), age(0, 90_000_000)]).toEqual(['0 s', '59 s', '1 min 1 s', '1 d 1 h']);
  });

  it('shortens a hash in its middle and turns field names into words', () => {
    expect(shorten(`0x${'ab'.repeat(32)}`)).toBe('0xababab…abab');
    expect(shorten('0x1234')).toBe('0x1234');
    expect(words('parentBeaconBlockRoot')).toBe('Parent beacon block root');
  });
});
