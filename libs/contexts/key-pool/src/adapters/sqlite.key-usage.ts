import type { Clock, Position } from '#platform/kernel';
import type { ReadStore, ReadView, Row } from '#platform/read-store';
import { KeyUsage, USAGE_HOURS, type KeyUse, type RefusedOn, type SpentOn, type UsageWindow } from '../ports/key-usage.port.ts';
import { KEY_USAGE } from '../projections/key-usage.projection.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_ROWS = 10_000;

/** Sums of minutes, over the rows that the projection wrote. */
export class SqliteKeyUsage extends KeyUsage {
  readonly #store: ReadStore;
  readonly #clock: Clock;

  constructor(store: ReadStore, clock: Clock) {
    super();
    this.#store = store;
    this.#clock = clock;
  }

  of(alias: string): KeyUse {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    return this.#store.read(KEY_USAGE, (view) => {
      const windows = Object.fromEntries(USAGE_HOURS.map((hours) => [hours, this.#window(view, alias, minute - hours * 60)])) as KeyUse['windows'];
      const lately = view.get(`SELECT * FROM ${view.table('lately')} WHERE alias = ?`, alias);
      return { windows, lastRequestAt: number(lately?.['settled_at']), lastRefusal: refusal(lately) };
    });
  }

  spent(days: number): readonly SpentOn[] {
    return this.#byDay('spent', 'chain, method', days).map((row) => ({ ...dayAndKey(row), chainId: String(row['chain']), method: String(row['method']), calls: Number(row['calls']), units: Number(row['units']) }));
  }

  refused(days: number): readonly RefusedOn[] {
    return this.#byDay('refusals', 'class', days).map((row) => ({ ...dayAndKey(row), class: String(row['class']), count: Number(row['count']) }));
  }

  asOf(): Position {
    return this.#store.read(KEY_USAGE, (view) => view.asOf);
  }

  #byDay(table: 'spent' | 'refusals', order: string, days: number): readonly Row[] {
    const since = new Date(this.#clock.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
    return this.#store.read(KEY_USAGE, (view) => view.all(`SELECT * FROM ${view.table(table)} WHERE day >= ? ORDER BY day DESC, alias, ${order} LIMIT ${MOST_ROWS}`, since));
  }

  #window(view: ReadView, alias: string, after: number): UsageWindow {
    const row = view.get(`SELECT sum(requests) AS requests, sum(errors) AS errors, sum(units) AS units FROM ${view.table('minutes')} WHERE alias = ? AND minute > ?`, alias, after);
    return { requests: Number(row?.['requests'] ?? 0), errors: Number(row?.['errors'] ?? 0), units: Number(row?.['units'] ?? 0) };
  }
}

function dayAndKey(row: Row): { readonly day: string; readonly alias: string } {
  return { day: String(row['day']), alias: String(row['alias']) };
}

function refusal(row: Row | undefined): KeyUse['lastRefusal'] {
  const at = number(row?.['refused_at']);
  return at === undefined ? undefined : { at, state: String(row?.['refusal']), reason: String(row?.['reason'] ?? '') };
}

function number(cell: Row[string] | undefined): number | undefined {
  return cell === null || cell === undefined ? undefined : Number(cell);
}
