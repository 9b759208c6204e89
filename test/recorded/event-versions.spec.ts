import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { START } from '#platform/kernel';
import { projected } from '#platform/testing';
import { CHAIN_EVENT_VERSIONS } from '../../libs/contexts/chain/src/application/chain-actors.ts';
import { chainUpcasters } from '../../libs/contexts/chain/src/domain/chain.upcasters.ts';
import { projections as ofChains, upcasters } from '../../libs/contexts/chain/src/projections/index.ts';
import { KEY_EVENT_VERSIONS } from '../../libs/contexts/key-pool/src/application/api-key-actors.ts';
import { projections as ofKeys } from '../../libs/contexts/key-pool/src/projections/index.ts';
import { definitions, EXAMPLES_FILE, examples, logOf, STATES_FILE, statesOf } from './event-versions.ts';

/** Lines of the file that were released, and what they hash to. A release raises both; nothing else ever does. */
const RELEASED = { lines: 59, sha256: 'f8ce9022fd1e35e474a6ab8204ee59041e82576a639c9365e8423d25707dc90f' };

describe('the examples of all event versions', () => {
  const text = readFileSync(EXAMPLES_FILE, 'utf8');

  it('that were released are what they were, to the letter', () => {
    const released = text.split('\n').slice(0, RELEASED.lines).join('\n');
    expect(createHash('sha256').update(released).digest('hex')).toBe(RELEASED.sha256);
  });

  it('leave out no version that the program writes or ever wrote', () => {
    const shown = new Set(examples().map(({ stream, type, schemaVersion }) => `${stream.slice(0, stream.indexOf('-'))} ${type} ${schemaVersion}`));
    const written = definitions().flatMap(({ category, schemaVersions }) =>
      Object.entries(schemaVersions).flatMap(([type, latest]) => Array.from({ length: latest }, (_, before) => `${category} ${type} ${before + 1}`)),
    );
    const upcast = Object.entries(chainUpcasters).flatMap(([category, types]) => Object.entries(types).flatMap(([type, versions]) => Object.keys(versions).map((version) => `${category} ${type} ${version}`)));
    expect(written.length).toBeGreaterThan(0);
    expect([...written, ...upcast].filter((version) => !shown.has(version))).toEqual([]);
  });

  it('are of the versions that the log learns, so that an older program refuses it', () => {
    expect({ ...CHAIN_EVENT_VERSIONS, ...KEY_EVENT_VERSIONS }).toEqual(Object.fromEntries(definitions().map(({ category, schemaVersions }) => [category, schemaVersions])));
  });

  it('show the rare shapes too', () => {
    for (const shape of ['"continuesLog":true', '"fields":"', '"unverifiable"', '"receipts":false', '"adopted":[]', '"commandId":', '"trace":', '"BackfillCancelled"', '"ChainResumed"']) expect(text).toContain(shape);
  });

  it('come out of the log as they went in', async () => {
    const log = await logOf(examples(), {});
    const { events } = await log.readAll(START, {}, 10_000);
    expect(events.map(({ position: _place, ...event }) => JSON.stringify(event))).toEqual(text.trimEnd().split('\n').map((line) => JSON.stringify(JSON.parse(line))));
  });

  it('are folded by their aggregates, to the last one, into what is written down', async () => {
    const states = await statesOf(examples(), chainUpcasters);
    expect(states).toEqual(JSON.parse(readFileSync(STATES_FILE, 'utf8')));
    const lengths = Map.groupBy(examples(), ({ stream }) => stream);
    for (const [stream, events] of lengths) expect(states[stream]).toMatchObject({ revision: events.at(-1)?.revision });
  });

  it.each([...ofChains, ...ofKeys].map((projection) => [projection.name, projection] as const))('are projected by %s, and none is poison', async (name, projection) => {
    const read = await projected(projection, examples(), {}, chainUpcasters);
    try {
      expect(await read.runner.parked(name)).toEqual([]);
      expect((await read.runner.status())[0]).toMatchObject({ state: 'live', lagEvents: 0 });
      const rows = Object.fromEntries(projection.tables.map(({ name: table }) => [table, read.store.read(name, (view) => view.get(`SELECT count(*) AS n FROM ${view.table(table)}`))?.['n'] as number]));
      expect(rows).toEqual(ROWS[name]);
    } finally {
      await read.close();
    }
  });

  it('are read with the same upcasters by actors and projections', () => {
    expect(upcasters).toBe(chainUpcasters);
  });
});

/** What the examples make of each table: a row that an old event no longer makes is a fact that is no longer shown. */
const ROWS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'chain-explorer': { addresses: 36, backfills: 2, blocks: 11, canonical: 8, chains: 2, chunks: 11, inclusions: 18, parts: 5, pending: 0, reorgs: 2, stops: 1 },
  'key-usage': { lately: 1, minutes: 1, refusals: 1, spent: 1 },
};
