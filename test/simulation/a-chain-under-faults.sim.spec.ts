import { drawHistory, tell } from './history.ts';
import { expectInvariants, expectNoStorm, expectNothingRuns } from './invariants.ts';
import { NOTABLE_SEEDS } from './notable-seeds.ts';
import { randomSeed, wishedMinutes, wishedSeeds } from './seeds.ts';
import { Simulation } from './simulation.ts';

async function happens(seed: number): Promise<void> {
  const history = drawHistory(seed);
  const simulation = await Simulation.begin(history);
  try {
    await simulation.run();
    expectNoStorm(simulation, await simulation.besiege());
    await simulation.heal();
    await expectInvariants(simulation);
  } catch (error) {
    process.stderr.write(`SIMULATION_SEEDS=${seed} replays it.\n${tell(history)}\n${simulation.lines.join('\n')}\n`);
    throw error;
  } finally {
    await simulation.close();
  }
  await expectNothingRuns(simulation);
}

describe('a chain under faults is captured whole in the end', () => {
  const minutes = wishedMinutes();
  const wished = wishedSeeds();
  if (minutes !== undefined) {
    it(
      `random seeds for ${minutes} minutes`,
      async () => {
        const end = performance.now() + minutes * 60_000;
        const failed: number[] = [];
        for (let seed = randomSeed(); performance.now() < end; seed = randomSeed()) await happens(seed).catch((error: unknown) => failed.push(seed) && process.stderr.write(`${seed} failed: ${String(error)}\n`));
        expect(failed).toEqual([]);
      },
      minutes * 60_000 + 60_000,
    );
  } else if (wished !== undefined) {
    it.each(wished)('seed %i', (seed) => happens(seed));
  } else {
    it.each(NOTABLE_SEEDS)('seed $seed, which found $found', ({ seed }) => happens(seed));
    const seed = randomSeed();
    it(`random seed ${seed}`, () => happens(seed));
  }
});
