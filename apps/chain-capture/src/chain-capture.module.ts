import { Module, type DynamicModule } from '@nestjs/common';
import { chainAgreement, chainSettings, ChainWorkerModule, configuredChains } from '#contexts/chain';
import { configuredKeys, keysAgreement, keySettings, workerKeys } from '#contexts/key-pool';
import { HttpModule } from '#platform/http';
import { processMetrics } from '#platform/observability';
import { HealthModule } from '#platform/operations';
import { programVersion, type WorkerBoot } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import { OwnerConnection, OwnerUnknown, workersSettings } from '#platform/workers';

const settings = [...chainSettings, ...keySettings, workersSettings] as const;
const info = { title: 'chainfold worker', version: '1', description: 'Health and metrics of a process that reads for the owner of a data directory.' };

/** Reads and spends for the process that owns the data directory; any number of them run beside each other. */
@Module({})
export class ChainCaptureModule {
  static readonly settings = settings;

  static async register(boot: WorkerBoot<SettingsOf<typeof settings>>): Promise<DynamicModule> {
    processMetrics.observeProcess();
    const { connect, token } = boot.settings.workers;
    if (connect === undefined) throw new OwnerUnknown();
    const { clock, log, lifecycle, health } = boot;
    const configured = configuredKeys(boot.settings);
    const chains = configuredChains(boot.settings, configured.keys.length > 0);
    const agreement = { ...chainAgreement(chains), ...keysAgreement(configured) };
    const owner = new OwnerConnection({ at: connect, token, version: programVersion(), agreement, clock, log });
    lifecycle.add({ name: 'connection with the owner', phase: 'files', stop: () => owner.close() });
    health.add('owner', () => owner.health());
    const keys = workerKeys(boot, owner);
    const { port, accessTokens } = boot.settings.monitor;
    return {
      module: ChainCaptureModule,
      imports: [...(port === undefined ? [] : [HttpModule.register({ info, accessTokens }), await HealthModule.register()]), ChainWorkerModule.register({ boot, owner, chains, keys })],
    };
  }
}
