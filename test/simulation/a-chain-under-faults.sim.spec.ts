import { randomInt } from 'node:crypto';
import { drawHistory, tell } from './history.ts';
import { expectInvariants, expectNoStorm } from './invariants.ts';
import { NOTABLE_SEEDS } from './notable-seeds.ts';
import { Simulation } from './simulation.ts';

/** `SIMULATION_SEED=n` replays that one history alone. */
const wished = process.env['SIMULATION_SEED'];

async function happens(seed: number): Promise<void> {
  const history = drawHistory(seed);
  const simulation = await Simulation.begin(history);
  try {
    await simulation.run();
    expectNoStorm(simulation, await simulation.besiege());
    await simulation.heal();
    await expectInvariants(simulation);
  } catch (error) {
    process.stderr.write(`SIMULATION_SEED=${seed} replays it.\n${tell(history)}\n${simulation.lines.join('\n')}\n`);
    throw error;
  } finally {
    await simulation.close();
  }
}

describe('a chain under faults is captured whole in the end', () => {
  if (wished === undefined) {
    it.each(NOTABLE_SEEDS)('seed $seed, which found $found', ({ seed }) => happens(seed));
    const seed = randomInt(1_000_000_000);
    it(`random seed ${seed}`, () => happens(seed));
  } else {
    it.each(wished.split(','))('seed %s', (seed) => happens(Number(seed)));
  }
});
