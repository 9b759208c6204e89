import { chainAgreement, chainSettings, configuredChains, ReadingJobs, WorkController } from '#contexts/chain';
import { LEASE_DESK, LeasesController } from '#contexts/key-pool';
import type { LeaseDesk } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';
import { type Boot, programVersion } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import { WorkersDoor, workersSettings } from '#platform/workers';

export const settings = [...chainSettings, workersSettings] as const;

/** What worker processes are given; undefined where none may connect. `desk`: where they lease budgets of keys. */
export function listenForWorkers(boot: Boot<SettingsOf<typeof settings>>, desk: LeaseDesk = new NoDesk()): ReadingJobs | undefined {
  const { host, port, token } = boot.settings.workers;
  if (port === undefined || boot.capture === 'offline') return undefined;
  const jobs = new ReadingJobs({ clock: boot.clock });
  const agreement = chainAgreement(configuredChains(boot.settings));
  const door = new WorkersDoor(
    { host, port, token, version: programVersion(), agreement, log: boot.log },
    { controllers: [LeasesController, WorkController], providers: [{ provide: LEASE_DESK, useValue: desk }, { provide: ReadingJobs, useValue: jobs }] },
  );
  boot.lifecycle.add({ name: 'door for workers', phase: 'http', start: async () => void (await door.open()), stop: () => door.close() });
  return jobs;
}

class NoDesk implements LeaseDesk {
  exchange(): Promise<never> {
    return Promise.reject(new ChainfoldError('The owner has no keys to lease', { code: 'no-keys', kind: 'missing', hint: 'Give both sides the same config/keys files.' }));
  }
}
