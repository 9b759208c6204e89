import type { DatabaseSync } from 'node:sqlite';
import type { Upcasters } from '#platform/kernel';
import { DataNewer } from './data.errors.ts';

/** By category and type: the version that a program writes. */
export type EventVersions = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Notes in the log what may be in it, before it is. An older program would take an event of a later version for what it
 * knows, and one of a new type for nothing: it is refused here. Throws `data-newer`, and then has changed nothing.
 */
export function noteEventVersions(db: DatabaseSync, path: string, known: EventVersions, upcasters: Upcasters = {}): void {
  const text = db.prepare("SELECT value FROM meta WHERE key = 'events'").get()?.['value'] as string | undefined;
  const noted = JSON.parse(text ?? '{}') as EventVersions;
  for (const [category, types] of Object.entries(noted)) {
    for (const [type, version] of Object.entries(types)) {
      // One that was renamed or dropped since is known by its upcaster.
      const own = Math.max(known[category]?.[type] ?? 0, ...Object.keys(upcasters[category]?.[type] ?? {}).map(Number));
      if (version > own) throw new DataNewer(path, version, own, `${type} in ${category}`);
    }
  }
  const now = JSON.stringify(known);
  if (now !== text) db.prepare("INSERT OR REPLACE INTO meta VALUES ('events', ?)").run(now);
}
