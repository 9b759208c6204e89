import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActorDefinition, ActorSystem } from '#platform/actors';
import { type Append, openMemoryEventStore, type EventStore } from '#platform/event-store';
import { categoryOf, type DomainEvent, DROPPED, idOf, type RecordedEvent, systemClock, type Upcasters } from '#platform/kernel';
import { defineApiKeyActors } from '../../libs/contexts/key-pool/src/application/api-key-actors.ts';
import { defineChainActors } from '../../libs/contexts/chain/src/application/chain-actors.ts';

/** An example of every version of every event that was ever stored, a line each, as the log gave it. Lines are only ever added. */
export const EXAMPLES_FILE = join(import.meta.dirname, 'event-versions.jsonl');
/** What the aggregates make of them, by stream. */
export const STATES_FILE = join(import.meta.dirname, 'event-versions.states.json');

export type Example = Omit<RecordedEvent, 'position'>;
export type AnyDefinition = ActorDefinition<unknown, never, DomainEvent>;

export function examples(): readonly Example[] {
  return readFileSync(EXAMPLES_FILE, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Example);
}

/** Every kind of actor that the program has, as it defines them. */
export function definitions(): readonly AnyDefinition[] {
  const defined: AnyDefinition[] = [];
  const system = { define: (definition: AnyDefinition) => void defined.push(definition) };
  defineChainActors(system as unknown as ActorSystem, () => new Uint8Array(32));
  defineApiKeyActors(system as unknown as ActorSystem);
  return defined;
}

/** A log that holds the examples, each in its stream and place. */
export async function logOf(events: readonly Example[], upcasters: Upcasters): Promise<EventStore> {
  const log = openMemoryEventStore(upcasters);
  for (const { stream, revision, ...event } of events) await log.append({ stream, expected: revision === 0 ? 'noStream' : revision - 1, events: [event] } satisfies Append);
  return log;
}

/**
 * By stream: how far its aggregate folded it, what it then is, as a snapshot would keep it where there are any, and what
 * all states on the way hash to.
 */
export async function statesOf(events: readonly Example[], upcasters: Upcasters): Promise<Readonly<Record<string, unknown>>> {
  const log = await logOf(events, upcasters);
  const system = new ActorSystem({ store: log, clock: systemClock });
  const kinds = new Map(definitions().map((definition) => [definition.category, { definition, actors: system.define(definition) }]));
  const states: Record<string, unknown> = {};
  for (const stream of new Set(events.map((event) => event.stream))) {
    const { definition, actors } = kinds.get(categoryOf(stream))!;
    const { state, revision } = await actors.peek(idOf(stream));
    const textOf = (one: unknown): string => JSON.stringify(definition.snapshot?.toJson(one) ?? one);
    const way = createHash('sha256');
    let at = definition.decider.initialState();
    for (const event of await log.readStream(stream, 0, 10_000)) {
      if (event.type !== DROPPED) at = definition.decider.evolve(at, event);
      way.update(textOf(at));
    }
    states[stream] = { revision, way: way.digest('hex'), state: JSON.parse(textOf(state)) as unknown };
  }
  await log.close();
  return states;
}
