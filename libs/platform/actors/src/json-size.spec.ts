import { jsonBytes } from './json-size.ts';

describe('the size of a value as JSON', () => {
  it.each([[{ a: [1, 2.5, -3], b: 'é "quoted" \\ \n', c: null, d: true, e: undefined, f: {} }], ['0xabc'], [[]], [[[], {}]]])('is not below that of its text: %j', (value) => {
    const exact = Buffer.byteLength(JSON.stringify(value));
    expect(jsonBytes(value)).toBeGreaterThanOrEqual(exact);
    expect(jsonBytes(value)).toBeLessThanOrEqual(exact + 10);
  });
});
