import { availableParallelism, cpus, totalmem } from 'node:os';

export interface Meaning {
  readonly unit: string;
  /** Left out: told beside the others, promised nowhere. */
  readonly target?: number;
  readonly lowerIsBetter?: boolean;
}

/** Significant digits: a bench does not measure more. */
const DIGITS = 4;

/** What a bench measured, run by run; told as one JSON line a figure, each with the median of its runs. Asserts nothing. */
export class Figures {
  readonly #source: string;
  readonly #figures = new Map<string, Meaning & { readonly runs: number[]; readonly source: string }>();

  /** `source`: what was fed in, and how it was made. */
  constructor(source: string) {
    this.#source = source;
  }

  add(bench: string, value: number, meaning: Meaning & { readonly source?: string }): void {
    const known = this.#figures.get(bench) ?? { source: this.#source, ...meaning, runs: [] };
    known.runs.push(Number(value.toPrecision(DIGITS)));
    this.#figures.set(bench, known);
  }

  /** Two figures of how long each of many took, in milliseconds. */
  addTimes(bench: string, times: readonly number[], { p50, p99 }: { readonly p50?: number; readonly p99?: number } = {}): void {
    const sorted = times.toSorted((a, b) => a - b);
    for (const [share, name, target] of [[0.5, 'p50', p50], [0.99, 'p99', p99]] as const) {
      this.add(`${bench}.${name}`, at(sorted, share), { unit: 'ms', lowerIsBetter: true, ...(target !== undefined && { target }) });
    }
  }

  print(): void {
    for (const [bench, { unit, target, lowerIsBetter = false, runs, source }] of this.#figures) {
      const value = at(runs.toSorted((a, b) => a - b), 0.5);
      console.log(JSON.stringify({ bench, value, unit, target, lowerIsBetter, runs, source, machine }));
    }
  }
}

/** The one at that share of a sorted list; of an even number of runs the higher one in the middle. */
function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const machine = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'unknown make'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform}`;
