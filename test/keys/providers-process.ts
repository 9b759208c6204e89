/**
 * Emulated providers in a process of their own, as real ones are on machines of their own: what keeps this thread busy does
 * not make them late. Run as a program it is that process; `ProvidersProcess` starts it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '#platform/kernel';
import { type EmulatedProvidersOptions, startEmulatedProviders } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/start-emulated-providers.ts';
import type { RefereeReport } from '../../libs/contexts/key-pool/src/adapters/emulated-providers/referee-report.ts';

type Wanted = Omit<EmulatedProvidersOptions, 'clock' | 'port'>;

interface Addresses {
  readonly base: string;
  /** By name of the provider, with `{key}`. */
  readonly http: Readonly<Record<string, string>>;
  readonly ws: Readonly<Record<string, string>>;
}

const RESOLUTION_MS = 5;

export class ProvidersProcess {
  readonly addresses: Addresses;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, addresses: Addresses) {
    this.#child = child;
    this.addresses = addresses;
  }

  static async start(wanted: Wanted): Promise<ProvidersProcess> {
    const child = fork(import.meta.filename, [JSON.stringify(wanted)], { execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] });
    const addresses = await new Promise<Addresses>((told, died) => {
      child.once('message', (value) => told(value as Addresses));
      child.once('exit', (code) => died(new Error(`the emulated providers ended with ${code}`)));
    });
    return new ProvidersProcess(child, addresses);
  }

  /** The longest that this process stood still since it was asked last, in milliseconds: what came then was metered so much later. */
  async stoodStillMs(): Promise<number> {
    const told = new Promise<number>((answer) => this.#child.once('message', (value) => answer(value as number)));
    this.#child.send('stood still');
    return told;
  }

  async report(): Promise<RefereeReport> {
    return (await (await fetch(`${this.addresses.base}/referee`)).json()) as RefereeReport;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.disconnect();
    await ended;
  }
}

if (process.argv[1] === import.meta.filename) {
  const wanted = JSON.parse(process.argv[2] ?? '') as Wanted;
  const emulated = await startEmulatedProviders({ ...wanted, clock: systemClock });
  const all = (url: (provider: string) => string): Record<string, string> => Object.fromEntries(wanted.tariffs.map(({ provider }) => [provider, url(provider)]));
  process.send?.({ base: emulated.base, http: all((provider) => emulated.url(provider)), ws: all((provider) => emulated.wsUrl(provider)) } satisfies Addresses);
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  process.on('message', () => {
    process.send?.(Math.max(0, delays.max / 1e6 - RESOLUTION_MS));
    delays.reset();
  });
  process.on('disconnect', () => process.exit());
}
