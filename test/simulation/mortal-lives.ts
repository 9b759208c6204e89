import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openSqliteEventReader, type SqliteEventReader } from '#platform/event-store';
import { type Position, type RecordedEvent, START, systemClock } from '#platform/kernel';
import { contentPages, isAtOrAbove, SqliteReadWriter } from '#platform/read-store';
import { projected, tally } from '#platform/testing';
import type { KillPoint } from './kill-at.ts';

const PROGRAM = fileURLToPath(new URL('./mortal-program.ts', import.meta.url));
const KILLER = new URL('./kill-at.ts', import.meta.url).href;
/** A life that reaches its point of death at all does so long before. */
const LIFE_MS = 60_000;

interface Answer {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
}

/** The lives of one small program on one data directory, each ended by kill -9, and all that it ever said. */
export class MortalLives {
  readonly root = mkdtempSync(join(tmpdir(), 'chainfold-mortal-'));
  readonly directory = join(this.root, 'data');
  /** By command. */
  readonly answered = new Map<string, Answer>();
  readonly #unanswered = new Map<string, readonly [name: string, by: string]>();
  #lives = 0;

  /** Ends with the process: after `ms` since it was open (or since its start), or at a point of its code. */
  async live(death: { readonly afterMs: number; readonly since: 'open' | 'start' } | KillPoint): Promise<void> {
    const env = {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: join(this.root, 'compiled'),
      ...('sql' in death && { KILL_AT: JSON.stringify(death), NODE_OPTIONS: `--import=${KILLER}` }),
    };
    const repeats = [...this.#unanswered].map(([id, [name, by]]) => `${id},${name},${by}`);
    const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', PROGRAM, this.directory, String(++this.#lives), ...repeats];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const timers = [setTimeout(() => child.kill('SIGQUIT'), LIFE_MS)];
    const dieSoon = (ms: number): void => void timers.push(setTimeout(() => child.kill('SIGKILL'), ms));
    if ('afterMs' in death && death.since === 'start') dieSoon(death.afterMs);
    for await (const line of createInterface(child.stdout)) {
      const [word, id = '', ...rest] = line.split(' ') as [string, ...string[]];
      if (word === 'open' && 'afterMs' in death && death.since === 'open') dieSoon(death.afterMs);
      if (word === 'asked') this.#unanswered.set(id, rest as [string, string]);
      if (word === 'answered') this.#answer(id, rest as [string, string]);
    }
    const [, signal] = await ended;
    for (const timer of timers) clearTimeout(timer);
    expect({ life: this.#lives, death, signal }).toEqual({ life: this.#lives, death, signal: 'SIGKILL' });
  }

  /** The whole log against everything that was ever answered, and the read model against the log. */
  async expectWhole(): Promise<void> {
    const events = await this.#log();
    expectGapless(events);
    const byCommand = Map.groupBy(events, (event) => event.commandId);
    const doubled = [...byCommand].filter(([, of]) => of.length !== 1);
    const lost = [...this.answered].filter(([id, answer]) => {
      const event = byCommand.get(id)?.[0];
      return event?.stream !== answer.stream || event.revision !== answer.revision || event.position !== answer.position;
    });
    expect({ doubled, lost }).toEqual({ doubled: [], lost: [] });
    this.#expectRowsOfCheckpoint(events);
  }

  /** The live rows are byte for byte those of a fresh projection of the same events. */
  async expectRowsOfFreshReplay(): Promise<void> {
    const events = await this.#log();
    const store = new SqliteReadWriter(join(this.directory, 'read.db'), systemClock);
    const live = store.generations('tally').find(({ state }) => state === 'live')!;
    const seen = events.filter(({ position }) => isAtOrAbove(live.position, position));
    const fresh = await projected(tally, seen);
    const db = store.snapshot();
    const rows = [...contentPages(db, live, live.tables)].flatMap((page) => page.lines).join('');
    expect(rows === fresh.dump()).toBe(true);
    db.close();
    store.close();
    await fresh.close();
  }

  close(): void {
    rmSync(this.root, { recursive: true });
  }

  #answer(id: string, [revision, position]: [string, string]): void {
    const [name] = this.#unanswered.get(id)!;
    this.#unanswered.delete(id);
    this.answered.set(id, { stream: `counter-${name}`, revision: Number(revision), position: position as Position });
  }

  async #log(): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    const reader = this.#reader();
    if (reader === undefined) return events;
    for (let after = START, atHead = false; !atHead; ) {
      const page = await reader.readAll(after, {}, 10_000);
      events.push(...page.events);
      ({ next: after, atHead } = page);
    }
    await reader.close();
    return events;
  }

  /** Undefined where the log is not even made. */
  #reader(): SqliteEventReader | undefined {
    try {
      return openSqliteEventReader({ directory: this.directory });
    } catch (error) {
      expect(error).toMatchObject({ code: 'data-missing' });
      return undefined;
    }
  }

  #expectRowsOfCheckpoint(events: readonly RecordedEvent[]): void {
    if (!existsSync(join(this.directory, 'read.db'))) return;
    const store = new SqliteReadWriter(join(this.directory, 'read.db'), systemClock);
    const db = store.snapshot();
    try {
      const generations = store.generations('tally');
      // One answers at any time: never none, amid a swap or after it.
      expect(generations.filter(({ state }) => state === 'live')).toHaveLength(Math.min(generations.length, 1));
      for (const generation of generations) {
        if (generation.state === 'retiring') continue;
        const seen = events.filter(({ position }) => isAtOrAbove(generation.position, position));
        const table = `"tally$${generation.generation}$totals"`;
        const rows = db.prepare(`SELECT name, total FROM ${table} ORDER BY name`).all().map((row) => [row['name'], row['total']]);
        expect({ generation: generation.generation, events: generation.events, rows }).toEqual({ generation: generation.generation, events: seen.length, rows: totalsOf(seen) });
        expect(generation.verification?.verdict ?? 'same').not.toBe('differs');
      }
    } finally {
      db.close();
      store.close();
    }
  }
}

function expectGapless(events: readonly RecordedEvent[]): void {
  const next = new Map<string, number>();
  for (const [at, { stream, revision, position }] of events.entries()) {
    const place = { position: Number(position.split(':')[1]), stream, revision };
    expect(place).toEqual({ position: at + 1, stream, revision: next.get(stream) ?? 0 });
    next.set(stream, revision + 1);
  }
}

function totalsOf(events: readonly RecordedEvent[]): readonly (readonly [string, number])[] {
  const totals = new Map<string, number>();
  for (const { stream, data } of events) totals.set(stream, (totals.get(stream) ?? 0) + Number(data['by']));
  return [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
}
