import { createHash } from 'node:crypto';
import type { Position } from '#platform/kernel';
import type { SnapshotPolicy } from './actors.port.ts';
import { CommandMemory } from './command-memory.ts';

/** What a snapshot holds: the fold of a stream up to and including `revision`. */
export interface Snapshot<State> {
  readonly state: State;
  readonly revision: number;
  readonly position: Position;
  /** Id of the event at `revision`: a log that has another one there is not the log that was folded. */
  readonly lastEventId: string;
  readonly memory: CommandMemory;
}

const FORMAT = 1;

/** A line with the checksum, then JSON. */
export function writeSnapshot<State>(snapshot: Snapshot<State>, policy: SnapshotPolicy<State>): string {
  const { revision, position, lastEventId, memory, state } = snapshot;
  const body = JSON.stringify([FORMAT, revision, position, lastEventId, memory.toJson(), policy.toJson(state)]);
  return `${checksum(body)}\n${body}`;
}

/** Undefined for anything that is not whole and ours; never throws. */
export function readSnapshot<State>(text: string, policy: SnapshotPolicy<State>): Snapshot<State> | undefined {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== checksum(body)) return undefined;
  try {
    const [format, revision, position, lastEventId, commands, state] = JSON.parse(body) as readonly unknown[];
    const memory = CommandMemory.fromJson(commands);
    if (format !== FORMAT || !Number.isSafeInteger(revision) || typeof position !== 'string') return undefined;
    if (typeof lastEventId !== 'string' || memory === undefined) return undefined;
    return { state: policy.fromJson(state), revision: revision as number, position: position as Position, lastEventId, memory };
  } catch {
    return undefined;
  }
}

function checksum(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
