import { parentPort, workerData } from 'node:worker_threads';
import { systemClock, toErrorMessage, type Upcasters } from '#platform/kernel';
import { openSqliteEventReader } from '#platform/event-store';
import { SqliteReadWriter } from '#platform/read-store';
import { giveWayToRequests } from '#platform/threads';
import type { Projection } from './projection.port.ts';
import { ProjectionRunner } from './projection-runner.ts';
import type { FromProjector, ProjectorCall, ProjectorData, ToProjector } from './projector-messages.ts';

/** Without a change: so the main thread can tell a busy thread from a stuck one. */
const STATUS_EVERY_MS = 500;
const STATUS_AFTER_CHANGE_MS = 20;

const data = workerData as ProjectorData;
const port = parentPort;

function post(message: FromProjector): void {
  port?.postMessage(message);
}

interface Loaded {
  readonly projections: readonly Projection[];
  readonly upcasters: Upcasters;
}

async function load(modules: readonly string[]): Promise<Loaded> {
  const loaded = await Promise.all(modules.map((url) => import(url) as Promise<Partial<Loaded>>));
  const projections = loaded.flatMap(({ projections }, at) => {
    if (projections === undefined) throw new Error(`${modules[at]} does not export projections`);
    return projections;
  });
  return { projections, upcasters: Object.assign({}, ...loaded.map(({ upcasters }) => upcasters)) as Upcasters };
}

async function main(): Promise<void> {
  giveWayToRequests();
  const { projections, upcasters } = await load(data.modules);
  const reader = openSqliteEventReader({ directory: data.logDirectory, upcasters });
  const store = new SqliteReadWriter(data.readFile, systemClock);
  let changed: NodeJS.Timeout | undefined;
  const runner = new ProjectionRunner({
    reader,
    store,
    projections,
    clock: systemClock,
    settings: data.settings,
    onProgress: (projection, position) => post({ type: 'progress', projection, position }),
    onChanged: () => (changed ??= setTimeout(() => void tell(), STATUS_AFTER_CHANGE_MS)),
  });
  const tell = async (): Promise<void> => {
    changed = undefined;
    try {
      post({ type: 'status', statuses: await runner.status() });
    } catch {
      // The store is busy or closing: the next tick tells.
    }
  };
  await runner.start();
  await tell();
  const ticking = setInterval(() => void tell(), STATUS_EVERY_MS);
  port?.on('message', (message: ToProjector) => {
    if (message.type === 'call') return void answer(runner, message);
    clearInterval(ticking);
    clearTimeout(changed);
    void close(runner, reader, store);
  });
  post({ type: 'started' });
}

async function answer(runner: ProjectionRunner, { id, call, args }: Extract<ToProjector, { type: 'call' }>): Promise<void> {
  try {
    const callable = runner as unknown as Record<ProjectorCall, (...values: readonly unknown[]) => Promise<unknown>>;
    post({ type: 'answer', id, value: await callable[call](...args) });
  } catch (error) {
    post({ type: 'answer', id, error: toErrorMessage(error) });
  }
}

async function close(runner: ProjectionRunner, reader: { close(): Promise<void> }, store: SqliteReadWriter): Promise<void> {
  await runner.close();
  await reader.close();
  store.close();
  port?.close();
}

main().catch((error: unknown) => {
  post({ type: 'fatal', error: toErrorMessage(error) });
  port?.close();
});
