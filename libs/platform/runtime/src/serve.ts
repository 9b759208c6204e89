import type { Logger } from '#platform/observability';
import type { SettingsPart } from '#platform/settings';
import { exitCodeOf, explain } from './boot-failure.ts';
import type { Deployable } from './deployable.ts';
import { EXIT } from './exit-codes.ts';
import type { DrainReport, Lifecycle } from './lifecycle.ts';
import { openApplication, type OpenOptions, type RunningApplication } from './open-application.ts';

/** npm hands a Ctrl-C of the terminal on to us although the terminal did so already: twice within this is once. */
const SAME_INTERRUPT_MS = 400;

/**
 * The whole life of a process: opens the program, prints one line when it is ready, drains at SIGINT or SIGTERM.
 * Ends the process by itself; EXIT says how.
 */
export async function serve<Parts extends readonly SettingsPart[]>(deployable: Deployable<Parts>, options: OpenOptions = {}): Promise<void> {
  const life = new ProcessLife();
  life.listen();
  try {
    const running = await openApplication(deployable, { ...options, onOpening: (opening) => life.opening(opening) });
    announce(deployable.name, running);
  } catch (error) {
    await life.failed(error);
  }
}

function announce(name: string, running: RunningApplication): void {
  const { format } = running.settings.log;
  if (format === 'json' || (format === undefined && !process.stdout.isTTY)) running.log.info({ url: running.url, pid: process.pid, program: name }, `ready at ${running.url}`);
  else process.stdout.write(`\nchainfold is ready at ${running.url}\n\n`);
}

/** Signals and last words of a process. */
class ProcessLife {
  #lifecycle: Lifecycle | undefined;
  #log: Logger | undefined;
  #askedAt: number | undefined;

  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const) {
      if (signal === 'SIGBREAK' && process.platform !== 'win32') continue;
      process.on(signal, () => this.#asked(signal));
    }
    process.on('uncaughtException', (error) => this.#crashed(error, 'an exception nobody caught'));
    process.on('unhandledRejection', (error) => this.#crashed(error, 'a rejection nobody handled'));
    // `npm start | head` closes our output; that is no reason to die.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  opening({ lifecycle, log }: { readonly lifecycle: Lifecycle; readonly log: Logger }): void {
    this.#lifecycle = lifecycle;
    this.#log = log;
    // Asked to end between the first line of main and here.
    if (this.#askedAt !== undefined) void this.#drain(lifecycle);
  }

  async failed(error: unknown): Promise<void> {
    // Asked to end while opening: the drain decides how the process ends.
    if (this.#askedAt !== undefined) return;
    process.stderr.write(`${explain(error)}\n`);
    await this.#lifecycle?.drain();
    process.exit(exitCodeOf(error));
  }

  #asked(signal: NodeJS.Signals): void {
    const now = performance.now();
    if (this.#askedAt !== undefined) {
      if (signal !== 'SIGINT' || now - this.#askedAt < SAME_INTERRUPT_MS) return;
      process.stderr.write('Forced to end; what was captured is kept.\n');
      process.exit(EXIT.interrupted);
    }
    this.#askedAt = now;
    this.#log?.info({ signal }, 'draining');
    if (this.#lifecycle !== undefined) void this.#drain(this.#lifecycle);
  }

  async #drain(lifecycle: Lifecycle): Promise<void> {
    const report = await lifecycle.drain();
    this.#log?.info({ tookMs: Math.round(report.tookMs), hung: report.hung, failed: report.failed.map(({ part }) => part) }, 'drained');
    const problems = inWords(report);
    if (problems !== '') process.stderr.write(problems);
    process.exit(problems === '' ? EXIT.ok : EXIT.failed);
  }

  #crashed(error: unknown, what: string): void {
    this.#log?.fatal({ err: error }, what);
    process.stderr.write(`Ended by ${what}; what was captured is kept.\n${explain(error)}\n`);
    process.exit(EXIT.crashed);
  }
}

function inWords({ hung, failed }: DrainReport): string {
  const lines = hung.map((part) => `${part} did not stop in time and was cut\n`);
  for (const { part, error } of failed) lines.push(`${part} did not stop cleanly: ${explain(error)}\n`);
  return lines.join('');
}
