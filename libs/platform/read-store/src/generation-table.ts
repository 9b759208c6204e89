import type { SQLOutputValue } from 'node:sqlite';
import type { Position } from '#platform/kernel';
import type { Generation, GenerationState, ParkedEvent, Verification } from './generation.ts';
import type { TableDefinition } from './read-store.port.ts';

type Raw = Record<string, SQLOutputValue>;
const text = (value: SQLOutputValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** A row of the control table `generation`. */
export function toGeneration(row: Raw): Generation {
  const verification = text(row['verification']);
  return {
    projection: row['projection'] as string,
    generation: row['generation'] as number,
    version: row['version'] as number,
    log: row['log'] as string,
    state: row['state'] as GenerationState,
    position: row['position'] as Position,
    commits: row['commits'] as number,
    tables: JSON.parse(row['tables'] as string) as TableDefinition[],
    rowsWritten: row['rows_written'] as number,
    events: row['events'] as number,
    paused: text(row['paused']),
    verification: verification === undefined ? undefined : (JSON.parse(verification) as Verification),
    recordedAt: text(row['recorded_at']),
    createdAt: row['created_at'] as number,
    swappedAt: row['swapped_at'] === null ? undefined : (row['swapped_at'] as number),
  };
}

export function toParked(row: Raw): ParkedEvent {
  return {
    key: row['key'] as string,
    position: row['position'] as Position,
    stream: row['stream'] as string,
    revision: row['revision'] as number,
    type: row['type'] as string,
    error: text(row['error']),
    parkedAt: row['parked_at'] as number,
  };
}
