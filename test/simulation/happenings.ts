import { setTimeout as pause } from 'node:timers/promises';
import { LIES } from './lies.ts';
import type { Step } from './steps.ts';
import type { World } from './world.ts';

/** In real time; what did not come by then is left for later, for a fault may keep it away. */
const REST_MS = 400;

/** Lets one step of a history happen to the world. */
export async function happen(step: Step, world: World): Promise<void> {
  const { chain, nodes, life, log, clock, client } = world;
  switch (step.kind) {
    case 'grow':
      await chain.grow(step.blocks, step.flavour);
      return world.show(step.announce);
    case 'branch':
      await chain.branch(step.depth, step.length, step.flavour);
      return world.show(step.announce);
    case 'come back':
      chain.comeBack();
      return world.show(step.announce);
    case 'roll back':
      chain.rollBack(step.depth);
      return world.show('none');
    case 'finalize':
      return chain.finalize(step.behind, step.gap);
    case 'lie':
      return lie(step, world);
    case 'misbehave':
      return void nodes[step.provider].faults.add({ ...(step.method === undefined ? {} : { method: step.method }), does: step.does, times: step.times });
    case 'be honest':
      return world.beHonest(step.provider);
    case 'go away':
      return world.goAway(step.provider, step.how);
    case 'come again':
      return world.comeAgain(step.provider);
    case 'announce again':
      return nodes.first.announce(nodes.first.chain.at(nodes.first.chain.head - step.below));
    case 'fall behind':
      return world.fallBehind();
    case 'catch up':
      return world.catchUp();
    case 'lose an answer of the store':
      return log.faulty.fail(...step.faults);
    case 'kill the writer':
      return log.killWriter();
    case 'fail the sink':
      return void world.sinkFaults.push(...step.faults);
    case 'poison':
      return world.poison.arm(step.after);
    case 'cure':
      world.poison.cure();
      return life.read?.retryParked();
    case 'restart projections':
      return life.read?.restart();
    case 'rebuild':
      return world.other === undefined ? void (await life.read?.rebuild()) : undefined;
    case 'activate':
      return world.other === undefined ? life.read?.activateKept() : undefined;
    case 'time passes':
      return clock.leap(step.ms);
    case 'the wall jumps':
      return clock.jumpWall(step.ms);
    case 'the wall drifts':
      return clock.driftWall(step.rate);
    case 'crash':
      world.scheme = step.scheme;
      return step.appends === 0 ? life.mortality.die() : life.mortality.dieWith(step.at ?? 'append', step.appends, step.written);
    case 'stop and start':
      world.scheme = step.scheme;
      return world.stopAndStart();
    case 'another owner comes':
      return world.beginOther();
    case 'the other owner goes':
      return world.endOther(step.orderly);
    case 'backfill':
      return client.request(life, step.from, step.from + step.blocks - 1);
    case 'backfill and cancel':
      return client.requestAndCancel(life, step.from, step.from + step.blocks - 1, step.afterMs);
    case 'cancel a backfill':
      return client.cancel(life, step.back);
    case 'repeat a command':
      return client.repeat(life, step.back);
    case 'rest':
      return rest(world);
  }
}

function lie({ provider, lie: name, times }: Extract<Step, { kind: 'lie' }>, { nodes, rareLies }: World): void {
  const told = LIES.find((one) => one.name === name);
  if (told === undefined) throw new Error(`nobody knows the lie ${name}`);
  // What was not heard yet does not add up.
  if (told.most !== undefined) rareLies.get(name)?.();
  const taken = nodes[provider].faults.add({ when: told.concerns, does: { kind: 'edit', edit: told.edit }, times: Math.min(times, told.most ?? times) });
  if (told.most !== undefined) rareLies.set(name, taken);
}

async function rest({ chain, life }: World): Promise<void> {
  const end = performance.now() + REST_MS;
  while (performance.now() < end && !life.dead) {
    const head = (await life.view().catch(() => undefined))?.head;
    if (head?.hash === chain.tip.hash) return;
    await pause(10);
  }
}
