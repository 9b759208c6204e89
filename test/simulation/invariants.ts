import type { RecordedEvent } from '#platform/kernel';
import { expectFinalityKept, expectNothingInvented, expectOrdered, expectSoundLog, expectVerifies } from './invariants-of-the-log.ts';
import { expectAnswersOfTheirMoment, expectExplorerEqual, expectRebuiltSame } from './invariants-of-reading.ts';
import type { Simulation } from './simulation.ts';
import { CHAIN_ID } from './true-chain.ts';

/** A step asks two things of each new block, and polls now and then; seen were 78 at most, and 1.8 on average. */
const MOST_REQUESTS_PER_STEP = 200;
const MOST_REQUESTS_ON_AVERAGE = 4;
/** Ten seconds of the simulated clock without one good answer: pauses grow, so seen were 14 at most. */
const MOST_REQUESTS_IN_A_SIEGE = 30;

/** What must be so after every history, once all faults have ended. */
export async function expectInvariants(simulation: Simulation): Promise<void> {
  const { world, observer } = simulation;
  const events = await world.log.events();
  expectSoundLog(events);
  expectOrdered(events, world.chain);
  expectNothingInvented(events, world.chain.ever);
  expectFinalityKept(events, world);
  await expectVerifies(world);
  await expectCommandsKept(events, simulation);
  expect(observer.wrong).toEqual([]);
  expectAnswersOfTheirMoment(events, observer);
  await expectExplorerEqual(world);
  await expectRebuiltSame(world);
}

/** However long nothing goes well, the providers are not stormed. */
export function expectNoStorm({ asked }: Simulation, inSiege: number): void {
  const each = asked.map(({ requests, owners }) => requests / owners);
  expect(Math.max(...each)).toBeLessThan(MOST_REQUESTS_PER_STEP);
  expect(each.reduce((sum, one) => sum + one, 0) / each.length).toBeLessThan(MOST_REQUESTS_ON_AVERAGE);
  expect(inSiege).toBeLessThan(MOST_REQUESTS_IN_A_SIEGE);
}

/** What was acknowledged stands in the log once, as it was told; what was refused does not stand there. */
async function expectCommandsKept(events: readonly RecordedEvent[], { world }: Simulation): Promise<void> {
  const { client } = world;
  expect(client.wrong).toEqual([]);
  expect(client.unanswered).toEqual([]);
  const ofCommands = Map.groupBy(events.filter(({ commandId }) => commandId !== undefined), ({ commandId }) => commandId);
  const place = ({ id, position }: RecordedEvent): string => `${id} ${position}`;
  for (const { id, told } of client.sent) expect([id, ...(ofCommands.get(id) ?? []).map(place)]).toEqual([id, ...(told?.events ?? []).map(place)]);
  const { state } = await world.life.actors.chains.peek(CHAIN_ID);
  const asked = events.filter(({ type }) => type === 'BackfillRequested').length - events.filter(({ type }) => type === 'BackfillCancelled').length;
  expect(state.status === 'absent' ? [] : state.backfills).toHaveLength(asked);
}

/** To be asked when everything was closed: nobody sleeps, reads the log or has work under way, of all processes that ever lived. */
export async function expectNothingRuns({ world }: Simulation): Promise<void> {
  await Promise.all(world.lives.map((life) => life.ended()));
  expect(world.lives.reduce((sum, { store }) => sum + store.subscriptions, 0)).toBe(0);
  expect(world.clock.sleeping).toBe(0);
}
