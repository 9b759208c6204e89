import { systemClock } from '#platform/kernel';
import { openSqliteEventReader } from '#platform/event-store';
import { ProjectionRunner } from '#platform/projections';
import { SqliteReadWriter } from '#platform/read-store';
import { tally } from './tally.projection.ts';

/** A process that projects until it is killed: `projector-child LOG_DIRECTORY READ_FILE`. */
const [, , directory, readFile] = process.argv as [string, string, string, string];
const runner = new ProjectionRunner({
  reader: openSqliteEventReader({ directory, pollMs: 5 }),
  store: new SqliteReadWriter(readFile, systemClock),
  projections: [tally],
  clock: systemClock,
  settings: { maxBatchEvents: 4 },
  onProgress: (_, position) => process.stdout.write(`${position}\n`),
});
await runner.start();
