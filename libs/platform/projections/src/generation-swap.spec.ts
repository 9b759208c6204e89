import type { Position } from '#platform/kernel';
import type { SqliteReadWriter, Verification } from '#platform/read-store';
import type { GenerationLane } from './generation-lane.ts';
import { GenerationSwap } from './generation-swap.ts';

/** A lane as the swap sees it. */
function lane(generation: number, at: string, trouble: object | undefined): GenerationLane {
  const made = {
    projection: { name: 'tally' },
    generation,
    position: at,
    trouble,
    exclusive: async (fn: () => unknown) => fn(),
    advanceTo: async (target: string) => {
      made.position = target;
    },
  };
  return made as unknown as GenerationLane;
}

describe('a generation that goes live', () => {
  it('first comes to where readers have been, also when the live one is in trouble and can not move', async () => {
    // What it wrote last had no answer, so it does not know of it.
    const [live, next] = [lane(1, 'x:33', { code: 'busy' }), lane(2, 'x:41', undefined)];
    let wentLiveAt: Position | undefined;
    const store = { generation: () => ({ position: 'x:57' }), swap: () => (wentLiveAt = next.position) } as unknown as SqliteReadWriter;
    await new GenerationSwap(store, new AbortController().signal).swap(live, next, {} as Verification, () => undefined);
    expect(wentLiveAt).toBe('x:57');
  });
});
