import { systemClock } from '#platform/kernel';
import { captureHealth } from './capture-health.ts';
import { CaptureStatusBoard } from './capture-status.ts';

describe('readiness of the capture', () => {
  const chains = { peek: async () => ({ state: { status: 'absent' }, revision: -1 }) } as never;
  const board = new CaptureStatusBoard(systemClock);

  it('says of a chain that starts which nodes have not answered, and invents no waiting', async () => {
    board.update('1', { providers: [{ label: 'one.example', healthy: true }, { label: 'two.example', healthy: true }] });
    expect(await captureHealth(board, chains, systemClock)).toEqual({ status: 'down', reason: 'Chain 1: no node has answered yet (one.example, two.example)' });
    board.update('1', { reason: 'the node speaks of another chain' });
    expect(await captureHealth(board, chains, systemClock)).toEqual({ status: 'down', reason: 'Chain 1: the node speaks of another chain' });
  });

  it('speaks of blocks that do not arrive only while it should follow', async () => {
    board.update('1', { state: 'following', reason: undefined, nodeHead: 5, lastProgressAt: systemClock.now() - 40_000 });
    expect(await captureHealth(board, chains, systemClock)).toEqual({ status: 'down', reason: 'Chain 1: no block has arrived for 30 s although the node is ahead' });
  });
});
