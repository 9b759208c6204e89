import { envelopeOf, readEnvelope, withItems } from './rpc-envelope.ts';

const read = (text: string) => readEnvelope(Buffer.from(text));

describe('requests and answers of JSON-RPC', () => {
  it('are read where they are such, one or many', () => {
    expect(read('{"id":1,"method":"a","params":[2]}')).toMatchObject({ batch: false, calls: [{ id: 1, method: 'a', params: [2] }] });
    expect(read('[{"id":"x","method":"a"}]')).toMatchObject({ batch: true, calls: [{ id: 'x', params: [] }] });
    for (const text of ['', '{', '[]', '{}', '5', 'null', '[{"id":1,"method":"a"},7]']) expect(read(text)).toBeUndefined();
  });

  it('go on as the same bytes, or without the calls that do not', () => {
    const one = read('[ {"id":1,"method":"a"},{"id":2,"method":"b","extra":true}]');
    if (one === undefined) throw new Error('unread');
    expect(envelopeOf(one, () => true)).toBe(one.bytes);
    expect(envelopeOf(one, (at) => at === 1).toString()).toBe('[{"id":2,"method":"b","extra":true}]');
  });

  it.each([
    ['[{"id":1}]', '[{"id":1},A,B]'],
    [' [ {"id":[1]} ]\n', ' [ {"id":[1]} ,A,B]'],
    ['[]', '[A,B]'],
    ['{"error":[]}', '{"error":[]}'],
    ['Bad Gateway', 'Bad Gateway'],
  ])('%j takes items unread', (answer, whole) => {
    expect(withItems(Buffer.from(answer), ['A', 'B']).toString()).toBe(whole);
  });
});
