import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '../../libs/platform/event-store/src/index.ts';
import { openSqliteEventStore } from '../../libs/platform/event-store/src/index.ts';

/** A log on disk, gone with its folder at the end. */
export async function temporaryStore(): Promise<{ readonly store: EventStore; remove(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-log-'));
  const store = await openSqliteEventStore({ directory });
  return {
    store,
    remove: async () => {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
