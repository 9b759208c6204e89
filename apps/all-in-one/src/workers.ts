import { chainAgreement, chainSettings, configuredChains, ReadingJobs, WorkController } from '#contexts/chain';
import { configuredKeys, type KeyPool, keysAgreement, keySettings, LEASE_DESK, LeasesController } from '#contexts/key-pool';
import { type Boot, programVersion } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import { WorkersDoor, workersSettings } from '#platform/workers';

export const settings = [...chainSettings, ...keySettings, workersSettings] as const;

/** What worker processes are given; undefined where none may connect. They lease budgets of keys at the desk of this process. */
export function listenForWorkers(boot: Boot<SettingsOf<typeof settings>>, keys: Pick<KeyPool, 'access' | 'desk'>): ReadingJobs | undefined {
  const { host, port, token } = boot.settings.workers;
  if (port === undefined || boot.capture === 'offline') return undefined;
  const jobs = new ReadingJobs({ clock: boot.clock });
  const agreement = { ...chainAgreement(configuredChains(boot.settings, keys.access.any)), ...keysAgreement(configuredKeys(boot.settings)) };
  const door = new WorkersDoor(
    { host, port, token, version: programVersion(), agreement, log: boot.log },
    { controllers: [LeasesController, WorkController], providers: [{ provide: LEASE_DESK, useValue: keys.desk }, { provide: ReadingJobs, useValue: jobs }] },
  );
  boot.lifecycle.add({ name: 'door for workers', phase: 'http', start: async () => void (await door.open()), stop: () => door.close() });
  return jobs;
}
