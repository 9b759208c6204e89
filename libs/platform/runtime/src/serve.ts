import type { Logger } from '#platform/observability';
import type { SettingsPart } from '#platform/settings';
import { exitCodeOf, explain } from './boot-failure.ts';
import type { BootOptions } from './boot.ts';
import type { Deployable, WorkerDeployable } from './deployable.ts';
import { EXIT } from './exit-codes.ts';
import type { DrainReport, Lifecycle } from './lifecycle.ts';
import { openApplication, type OpenOptions, type RunningProgram } from './open-application.ts';
import { openWorker } from './open-worker.ts';

/** npm hands a Ctrl-C of the terminal on to us although the terminal did so already: twice within this is once. */
const SAME_INTERRUPT_MS = 400;

/**
 * The whole life of a process: opens the program, prints one line when it is ready, drains at SIGINT or SIGTERM.
 * Ends the process by itself; EXIT says how.
 */
export function serve<Parts extends readonly SettingsPart[]>(deployable: Deployable<Parts>, options: OpenOptions = {}): Promise<void> {
  return live(deployable.name, (onOpening) => openApplication(deployable, { ...options, onOpening }));
}

/** The same for a program that owns no data directory. */
export function serveWorker<Parts extends readonly SettingsPart[]>(deployable: WorkerDeployable<Parts>, options: BootOptions = {}): Promise<void> {
  return live(deployable.name, (onOpening) => openWorker(deployable, { ...options, onOpening }));
}

async function live(name: string, open: (onOpening: NonNullable<BootOptions['onOpening']>) => Promise<RunningProgram>): Promise<void> {
  const life = new ProcessLife();
  life.listen();
  try {
    announce(name, await open((opening) => life.opening(opening)));
  } catch (error) {
    await life.failed(error);
  }
}

function announce(name: string, { url, settings, log }: RunningProgram): void {
  const { format } = settings.log;
  const where = url === undefined ? 'ready' : `ready at ${url}`;
  if (format === 'json' || (format === undefined && !process.stdout.isTTY)) log.info({ ...(url !== undefined && { url }), pid: process.pid, program: name }, where);
  else process.stdout.write(url === undefined ? `\n${name} is ready\n\n` : `\nchainfold is ${where}\n\n`);
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
