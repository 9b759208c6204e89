import { Projected, projected, tally } from '#platform/testing';
import type { EventSketch } from '#platform/testing';
import type { Projection } from './projection.port.ts';

const counted = (stream: string, by: number): EventSketch => ({ stream: `counter-${stream}`, type: 'Counted', data: { by } });
const poison = (stream: string): EventSketch => ({ stream: `counter-${stream}`, type: 'Counted', data: { poison: true } });

describe('a poison event', () => {
  let read: Projected | undefined;
  /** Whether the bug of the projection has been put right. */
  let cured: boolean;
  const curable: Projection = {
    ...tally,
    apply: (event, batch) => tally.apply(cured ? { ...event, data: { by: 100 } } : event, batch),
  };
  const totals = (): Record<string, unknown> =>
    Object.fromEntries((read as Projected).store.read('tally', (view) => view.all(`SELECT name, total FROM ${view.table('totals')} ORDER BY name`)).map((row) => [String(row['name']), row['total']]));

  beforeEach(() => {
    cured = false;
  });
  afterEach(async () => {
    await read?.close();
  });

  it('parks itself and all later events of its key, in order, while other keys go on', async () => {
    read = await projected(tally, [counted('a', 1), poison('a'), counted('b', 2), counted('a', 4), counted('b', 8)]);
    expect(totals()).toEqual({ 'counter-a': 1, 'counter-b': 10 });
    const [parked] = await read.runner.parked('tally');
    expect(parked?.key).toBe('counter-a');
    expect(parked?.events.map(({ revision, error }) => [revision, error])).toEqual([[1, 'this event is poison'], [2, undefined]]);
    expect((await read.runner.status())[0]).toMatchObject({ state: 'live', parkedKeys: 1 });
  });

  it('leaves nothing behind of what it wrote before it failed', async () => {
    const halfway: Projection = {
      ...tally,
      async apply(event, batch) {
        if (event.data['poison'] === true) {
          batch.put('totals', { name: 'counter-a', total: 999, note: 'half' });
          batch.delete('totals', { name: 'counter-b' });
          batch.put('entries', { name: 'half', revision: 0, amount: 0, raw: null });
        }
        await tally.apply(event, batch);
      },
    };
    read = await projected(halfway, [counted('a', 1), counted('b', 2), poison('c'), counted('b', 3)]);
    expect(totals()).toEqual({ 'counter-a': 1, 'counter-b': 5 });
    expect(read.dump()).not.toContain('half');
  });

  it('stays parked over a restart, with what waits behind it', async () => {
    read = await projected(tally, [poison('a')]);
    await read.stop();
    await read.append([counted('a', 1), counted('b', 2)]);
    await read.run();
    await read.caughtUp();
    expect(totals()).toEqual({ 'counter-b': 2 });
    expect((await read.runner.parked('tally'))[0]?.events).toHaveLength(2);
  });

  it('is applied with its whole key in order when it is retried after the cause is gone', async () => {
    read = await projected(curable, [counted('a', 1), poison('a'), counted('b', 1)]);
    await read.append([counted('a', 1)]);
    await read.caughtUp();
    expect(await read.runner.retry('tally', 'counter-a')).toEqual({ applied: 0, remaining: 2, error: 'this event is poison' });
    cured = true;
    expect(await read.runner.retry('tally', 'counter-a')).toEqual({ applied: 2, remaining: 0, error: undefined });
    expect(totals()).toEqual({ 'counter-a': 201, 'counter-b': 1 });
    await read.append([counted('a', 0)]);
    await read.caughtUp();
    expect(totals()).toMatchObject({ 'counter-a': 301 });
  });

  it('is left out for ever once it is skipped with a reason, also in a rebuild', async () => {
    read = await projected(tally, [counted('a', 1), poison('a'), counted('a', 4), poison('a'), counted('a', 8)]);
    expect(await read.runner.skip('tally', 'counter-a', 'known bad')).toEqual({ applied: 1, remaining: 2, error: 'this event is poison' });
    expect(await read.runner.skip('tally', 'counter-a', 'this one too')).toEqual({ applied: 1, remaining: 0, error: undefined });
    expect(totals()).toEqual({ 'counter-a': 13 });
    await read.runner.rebuild('tally');
    await read.swapped();
    expect(totals()).toEqual({ 'counter-a': 13 });
    expect(read.writer.skipped({ projection: 'tally', version: 1, log: 'xtest' }).map((event) => event.reason)).toEqual(['known bad', 'this one too']);
    await expect(read.runner.skip('tally', 'counter-a', 'again')).rejects.toMatchObject({ code: 'nothing-parked' });
  });

  it('pauses the projection when there are more such keys than the limit, and loses nothing', async () => {
    const settings = { maxParkedKeys: 2 };
    read = new Projected(curable, settings);
    await read.append([poison('a'), poison('b'), counted('d', 1), poison('c'), counted('d', 2)]);
    await read.run();
    let status = (await read.runner.status())[0];
    for (let tries = 0; tries < 500 && status?.state !== 'paused'; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      status = (await read.runner.status())[0];
    }
    expect(status).toMatchObject({ state: 'paused', parkedKeys: 2, lastError: { code: 'too-many-parked-keys' } });
    expect(totals()).toEqual({ 'counter-d': 1 });
    cured = true;
    await read.runner.resume('tally');
    await read.caughtUp();
    expect(totals()).toMatchObject({ 'counter-c': 100 });
  });

  it('is what a row becomes that its table does not allow', async () => {
    const wrong: Projection = { ...tally, apply: (_event, batch) => batch.put('totals', { name: 'x', total: 'a text', note: null }) };
    read = await projected(wrong, [counted('a', 1)]);
    expect((await read.runner.parked('tally'))[0]?.events[0]?.error).toContain('not a value of type integer');
  });
});
