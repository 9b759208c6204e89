import cliProgress from 'cli-progress';
import type { JsonValue } from '#platform/kernel';
import { redactUrlsIn } from '#platform/observability';

export interface Progress {
  at(done: number, total: number, facts: { readonly rate?: number | null; readonly etaSeconds?: number | null }): void;
  end(): void;
}

/** Columns of a bar's line that are words, so that the line fits a narrow terminal. */
const WORDS_BESIDE_BAR = 56;
const SECOND_MS = 1_000;

/** Where a command speaks: people on a terminal, or machines line by line. Addresses lose what may be a key. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** One result: JSON in one line, or text. */
  result(value: object, text: () => string): void {
    this.#write(this.json ? JSON.stringify(value) : text());
  }

  /** For people only. */
  note(text: string): void {
    if (!this.json) this.#write(text);
  }

  /** A bar on a terminal, a line of JSON per second with --json, nothing in a pipe. */
  progress(what: string, unit: string): Progress {
    if (this.json) return this.#lines(what);
    if (!process.stdout.isTTY) return { at: () => undefined, end: () => undefined };
    const room = (process.stdout.columns ?? 80) - WORDS_BESIDE_BAR;
    const format = `${what} {bar} {percentage}% | {value}/{total} | {rate} ${unit}/s | {eta_in_words}`;
    const bar = new cliProgress.SingleBar({ format, barsize: Math.max(5, Math.min(40, room)), hideCursor: true }, cliProgress.Presets.shades_classic);
    let started = false;
    return {
      at: (done, total, { rate, etaSeconds }) => {
        const payload = { rate: rate === null || rate === undefined ? '-' : rate.toFixed(rate < 10 ? 1 : 0), eta_in_words: etaSeconds === null || etaSeconds === undefined ? '' : `${inWords(etaSeconds)} left` };
        if (!started) bar.start(total, done, payload);
        else {
          bar.setTotal(total);
          bar.update(done, payload);
        }
        started = true;
      },
      end: () => started && bar.stop(),
    };
  }

  #lines(what: string): Progress {
    let last = -SECOND_MS;
    return {
      at: (done, total, facts) => {
        const now = performance.now();
        if (now - last < SECOND_MS && done < total) return;
        last = now;
        this.#write(JSON.stringify({ kind: 'progress', what, done, total, ...facts }));
      },
      end: () => undefined,
    };
  }

  #write(text: string): void {
    process.stdout.write(`${redactUrlsIn(text)}\n`);
  }
}

/** Columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly JsonValue[])[]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : typeof cell === 'string' ? cell : JSON.stringify(cell))))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

function inWords(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}
