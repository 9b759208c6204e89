import { resolve } from 'node:path';
import { ownerOfDataDirectory } from '#platform/event-store';
import { ChainfoldError } from '#platform/kernel';
import { openApplication, type CaptureMode, type Deployable } from '#platform/runtime';
import { loadSettings, platformSettings, processSources, type SettingsOf, type SettingsSources } from '#platform/settings';
import { ApiClient } from './api-client.ts';

/** Somebody who answers for the data directory: the process that runs on it, or one that this command opened. */
export interface Target {
  readonly api: ApiClient;
  /** A process was there already. */
  readonly beside: boolean;
  close(): Promise<void>;
}

export interface TargetOptions {
  /** How to open the application where no process runs. */
  readonly capture: Exclude<CaptureMode, 'online'>;
  /** Laid over the environment of an application that this command opens. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The program that commands speak to; a function, because loading it takes longer than asking a running one. */
export type LoadProgram = () => Promise<Deployable>;

const OPENING_MS = 15_000;

export function settingsOf(program: Deployable, sources: SettingsSources = processSources()): SettingsOf<typeof platformSettings> {
  return loadSettings([...platformSettings, ...program.settings], sources);
}

/** Beside a running process it is asked over HTTP; otherwise the same application is opened on a free port of this machine and asked the same way. */
export async function reach(load: LoadProgram, options: TargetOptions): Promise<Target> {
  const program = await load();
  const settings = settingsOf(program);
  const owner = await ownerThatAnswers(resolve(settings.data.dir));
  if (owner !== undefined) return { api: new ApiClient(owner, processSources().env['CHAINFOLD_TOKEN']), beside: true, close: async () => undefined };
  const sources = processSources();
  const running = await openApplication(program, {
    capture: options.capture,
    listenAt: { host: '127.0.0.1', port: 0 },
    sources: { ...sources, env: { ...sources.env, HOST: '127.0.0.1', ACCESS_TOKENS: '', LOG_LEVEL: 'silent', ...options.env } },
  });
  return { api: new ApiClient(running.url), beside: false, close: async () => void (await running.drain()) };
}

/** Where the owner of the directory answers; waits while it is opening. Undefined where nobody owns it. */
async function ownerThatAnswers(dir: string): Promise<string | undefined> {
  const until = performance.now() + OPENING_MS;
  for (;;) {
    const owner = ownerOfDataDirectory(dir);
    if (owner === undefined) return undefined;
    if (owner.url !== undefined) return owner.url;
    if (performance.now() > until) throw new OwnerSilent(dir, owner.pid);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

class OwnerSilent extends ChainfoldError {
  constructor(dir: string, pid: number | undefined) {
    super('Another process works on this data directory but does not say where it answers', {
      code: 'data-directory-locked',
      kind: 'conflict',
      facts: { dir, ...(pid === undefined ? {} : { pid }) },
      hint: 'It is starting or ending; try again, or stop it.',
    });
  }
}
