import { Module, type DynamicModule } from '@nestjs/common';
import type { WorkerBoot } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import type { OwnerConnection } from '#platform/workers';
import { NestLeaseDesk } from './adapters/nest.lease-desk.ts';
import type { ConfiguredKeys } from './application/configured-keys.ts';
import { LeasedPurse } from './application/leased-purse.ts';
import type { KeyPurse } from './contracts/index.ts';
import type { keySettings } from './key-pool.settings.ts';

export interface KeyWorkerSurroundings {
  readonly boot: WorkerBoot<SettingsOf<typeof keySettings>>;
  readonly owner: OwnerConnection;
  readonly configured: ConfiguredKeys;
}

/** Keys of a worker: its own secrets, and budgets that it leases at the owner's desk. */
@Module({})
export class KeyPoolWorkerModule {
  static open({ boot, owner, configured }: KeyWorkerSurroundings): { readonly module: DynamicModule; readonly purse: KeyPurse } {
    const { clock, log, lifecycle } = boot;
    const used = new Set(configured.keys.map(({ provider }) => provider));
    const tariffs = new Map([...configured.providers].filter(([name]) => used.has(name)).map(([name, { tariff }]) => [name, tariff]));
    const purse = new LeasedPurse({ holder: owner.holder, desk: new NestLeaseDesk(owner), tariffs, clock, log });
    // Before the connection: what is not spent is given back over it.
    lifecycle.add({ name: 'keys', phase: 'node', stop: () => purse.close() });
    return { module: { module: KeyPoolWorkerModule }, purse };
  }
}
