import type { StateChange } from '#platform/projections';
import { logProjectionChange } from './projection-log.ts';

describe('the log line of a change', () => {
  const said = (change: Partial<StateChange>): readonly unknown[] => {
    const lines: unknown[] = [];
    const at = (level: string) => (facts: object, text: string): void => void lines.push([level, text, 'hint' in facts]);
    logProjectionChange({ info: at('info'), warn: at('warn'), error: at('error') }, { projection: 'blocks', state: 'live', generation: 1, reason: undefined, ...change });
    return lines;
  };
  const thread = { projection: undefined, generation: undefined };

  it.each<[Partial<StateChange>, string, string, boolean]>([
    [{ state: 'live' }, 'info', 'projection blocks is live', false],
    [{ state: 'building' }, 'info', 'projection blocks is building', false],
    [{ state: 'paused', reason: 'maintenance' }, 'warn', 'projection blocks is paused', true],
    [{ state: 'failed', reason: 'a gap' }, 'error', 'projection blocks stands still', true],
    [{ ...thread, state: 'started' }, 'info', 'the thread of the projections runs', false],
    [{ ...thread, state: 'stopped', reason: 'out of memory' }, 'error', 'the thread of the projections stopped', true],
    [{ ...thread, state: 'stopped' }, 'info', 'the thread of the projections is closed', false],
  ])('%j', (change, level, text, hasHint) => {
    expect(said(change)).toEqual([[level, text, hasHint]]);
  });
});
