import Fastify from 'fastify';
import { ChainfoldError } from '#platform/kernel';
import { answerLines } from './line-answer.ts';

describe('an answer of lines', () => {
  const answered = async (source: () => AsyncGenerator<object>): Promise<{ lines: unknown[]; error: unknown }> => {
    const app = Fastify();
    let error: unknown;
    app.get('/', async (_request, reply) => {
      await answerLines(reply, source()).catch((failed: unknown) => (error = failed));
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const text = await (await fetch(url)).text();
    await app.close();
    return { lines: text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown), error };
  };

  it('is one JSON value per line', async () => {
    const { lines } = await answered(async function* () {
      yield { a: 1 };
      yield { b: 'x\ny' };
    });
    expect(lines).toEqual([{ a: 1 }, { b: 'x\ny' }]);
  });

  it('ends with what went wrong and the way out, which the caller gets too for the log', async () => {
    const damaged = new ChainfoldError('It is damaged', { code: 'data-damaged', kind: 'unavailable', facts: { path: 'log' }, hint: 'Put a copy back.' });
    const { lines, error } = await answered(async function* () {
      yield { a: 1 };
      throw damaged;
    });
    expect(lines).toEqual([{ a: 1 }, { kind: 'failed', code: 'data-damaged', message: 'It is damaged', retryable: false, facts: { path: 'log' }, hint: 'Put a copy back.' }]);
    expect(error).toBe(damaged);
  });

  it('tells nothing of the inside of a fault that nobody meant', async () => {
    const { lines } = await answered(async function* () {
      yield { a: 1 };
      throw new TypeError('secret is not a function');
    });
    expect(lines[1]).toMatchObject({ kind: 'failed', code: 'internal-error' });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});
