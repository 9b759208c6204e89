import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { categoryOf, type Position, type StreamName } from '#platform/kernel';
import { unpackText } from './append-payload.ts';
import { readTypes } from './append-text.ts';
import { DataDamaged } from './data.errors.ts';
import { LogPositions } from './log-positions.ts';
import { checkRow, RowsDamaged, type SummedRow } from './row-checksum.ts';
import { explained, openLogFile } from './sqlite-log-file.ts';

/** What a log holds. Equal contents have an equal hash, whatever their files look like. */
export interface LogContents {
  readonly identity: string;
  /** Position of the last event. */
  readonly head: Position;
  readonly events: number;
  readonly streams: number;
  /** Over every append in the order of the log: place, stream, types and payload. */
  readonly sha256: string;
}

type Row = SummedRow & { readonly category: string; readonly types: string; readonly sum: number | null };

/** Others have a turn after so many bytes. */
const BREATH_BYTES = 4_000_000;
const ROWS = `SELECT a.first, s.name AS stream, a.revision, a.count, k.category, k.types, a.raw, a.payload, a.sum
  FROM append a JOIN stream s ON s.id = a.stream JOIN kind k ON k.id = a.kind ORDER BY a.first`;

/** Reads a log that nobody writes, from end to end: every page, index and payload. Throws `data-damaged`. */
export async function readContents(file: string, onRead: (bytes: number) => void): Promise<LogContents> {
  const { db, identity } = explained(file, () => openLogFile(file));
  try {
    // First, for it finds broken trees and indexes, on which no walk could rely.
    explained(file, () => mustBeSound(db, file));
    const hash = createHash('sha256');
    const rows = db.prepare(ROWS).iterate() as Iterator<unknown> as Iterator<Row>;
    let events = 0;
    let sinceBreath = 0;
    for (;;) {
      const next = explained(file, () => rows.next());
      if (next.done === true) break;
      const row = next.value;
      if (row.first !== events + 1) throw new DataDamaged(file, `position ${events + 1} is missing`);
      explained(file, () => {
        checkRow(row);
        // Neither is in the row's sum, and what is found by its kind is found by these.
        const [category, types] = [categoryOf(row.stream as StreamName), readTypes(unpackText(row))];
        if (row.category !== category || row.types !== types) throw new RowsDamaged(`the events from position ${row.first} on are filed as others`);
      });
      hash.update(JSON.stringify([row.first, row.stream, row.revision, row.count, row.types, row.raw])).update(row.payload);
      events += row.count;
      sinceBreath += row.payload.length;
      if (sinceBreath < BREATH_BYTES) continue;
      onRead(sinceBreath);
      sinceBreath = 0;
      await nextTurn();
    }
    const streams = db.prepare('SELECT count(*) AS streams FROM stream').get()!['streams'] as number;
    return { identity, head: new LogPositions(identity).at(events), events, streams, sha256: hash.digest('hex') };
  } finally {
    db.close();
  }
}

function mustBeSound(db: DatabaseSync, file: string): void {
  const [found] = db.prepare('PRAGMA integrity_check(1)').all();
  if (found?.['integrity_check'] !== 'ok') throw new DataDamaged(file, String(found?.['integrity_check']));
}
