import type { EventReader } from '#platform/event-store';
import { DROPPED, START, type DomainEvent, type Position, type RecordedEvent, type StreamName } from '#platform/kernel';
import { ActorQuarantined } from './actors.errors.ts';
import type { ActorDefinition } from './actors.port.ts';
import { CommandMemory } from './command-memory.ts';
import type { Snapshot } from './snapshot-text.ts';

/** A stream as far as it was folded. */
export interface Folded<State> {
  readonly state: State;
  /** -1 when the stream is empty. */
  readonly revision: number;
  readonly position: Position;
  readonly lastEventId: string;
  /** Shared by later folds of the same actor: noted into only after an append. */
  readonly memory: CommandMemory;
  /** Set when an event could not be folded; the rest is as it was before that event. */
  readonly quarantine: ActorQuarantined | undefined;
}

type Definition<State> = Pick<ActorDefinition<State, never, DomainEvent>, 'decider' | 'schemaVersions'>;

const PAGE = 512;

/** Reads and folds a stream, from a snapshot on where there is one that fits; `read` counts the events. */
export async function foldStream<State>(
  reader: EventReader,
  stream: StreamName,
  definition: Definition<State>,
  snapshot: Snapshot<State> | undefined,
): Promise<{ readonly folded: Folded<State>; readonly read: number; readonly usedSnapshot: boolean }> {
  let folded = empty(definition);
  let from = 0;
  if (snapshot !== undefined) {
    const [last] = await reader.readStream(stream, snapshot.revision, 1);
    if (last?.id === snapshot.lastEventId) {
      folded = { ...snapshot, position: last.position, quarantine: undefined };
      from = snapshot.revision + 1;
    }
  }
  const usedSnapshot = from > 0;
  for (let read = 0, next = from; ; ) {
    const events = await reader.readStream(stream, next, PAGE);
    read += events.length;
    next = (events.at(-1)?.revision ?? 0) + 1;
    for (const event of events) folded = foldEvent(folded, event, definition);
    if (events.length < PAGE || folded.quarantine !== undefined) return { folded, read, usedSnapshot };
  }
}

function empty<State>({ decider }: Definition<State>): Folded<State> {
  return { state: decider.initialState(), revision: -1, position: START, lastEventId: '', memory: new CommandMemory(), quarantine: undefined };
}

/** Unknown types, versions from the future and older ones without an upcaster count as facts that can not be folded: passing them over would be a guess. */
function foldEvent<State>(before: Folded<State>, event: RecordedEvent, definition: Definition<State>): Folded<State> {
  if (before.quarantine !== undefined) return before;
  try {
    const state = event.type === DROPPED ? before.state : evolved(before.state, event, definition);
    before.memory.note(event);
    return { state, revision: event.revision, position: event.position, lastEventId: event.id, memory: before.memory, quarantine: undefined };
  } catch (error) {
    return { ...before, quarantine: new ActorQuarantined(event.stream, before.revision, event.type, error) };
  }
}

function evolved<State>(state: State, event: RecordedEvent, { schemaVersions, decider }: Definition<State>): State {
  const known = schemaVersions[event.type];
  if (known === undefined) throw new Error('unknown event type');
  if (event.schemaVersion > known) throw new Error(`schema version ${event.schemaVersion} is newer than ${known}`);
  if (event.schemaVersion < known) throw new Error(`schema version ${event.schemaVersion} has no upcaster to ${known}`);
  return decider.evolve(state, event);
}
