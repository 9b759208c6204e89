import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeEventStore } from './event-store.contract.ts';
import { openSqliteEventStore } from './sqlite.event-store.ts';

describeEventStore(
  'the log in SQLite',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'chainfold-log-'));
    return { store: await openSqliteEventStore({ directory }), dispose: () => rm(directory, { recursive: true }) };
  },
  { atomicAppendAll: true },
);
