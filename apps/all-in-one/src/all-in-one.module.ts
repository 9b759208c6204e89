import { fileURLToPath } from 'node:url';
import { Module, type DynamicModule } from '@nestjs/common';
import { capturesEmbedded, CHAIN_EVENT_VERSIONS, ChainModule, chainProjections, chainUpcasters } from '#contexts/chain';
import { KEY_EVENT_VERSIONS, KeyPool, keyProjections } from '#contexts/key-pool';
import { Backbone } from '#platform/backbone';
import { HttpModule } from '#platform/http';
import { processMetrics } from '#platform/observability';
import { OperationsModule } from '#platform/operations';
import type { Boot } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import { listenForWorkers, settings } from './workers.ts';

const info = {
  title: 'chainfold',
  version: '1',
  description: 'EVM chains, captured block by block and verified; the event log they are kept in; the projections that answer.',
};

/** Everything in one process on embedded parts. */
@Module({})
export class AllInOneModule {
  static readonly settings = settings;

  static async register(boot: Boot<SettingsOf<typeof settings>>): Promise<DynamicModule> {
    processMetrics.observeProcess();
    const backbone = await Backbone.open(boot, { projections: [chainProjections, keyProjections], upcasters: chainUpcasters, versions: { ...CHAIN_EVENT_VERSIONS, ...KEY_EVENT_VERSIONS } });
    const { store, actors, reads, projections } = backbone;
    const keys = await KeyPool.open({ boot, actors, reads, embedded: capturesEmbedded(boot.settings) });
    return {
      module: AllInOneModule,
      imports: [
        HttpModule.register({ info, accessTokens: boot.settings.http.accessTokens }),
        OperationsModule.register({ log: store, projections, pageDir: fileURLToPath(new URL('../../../libs/dashboard/public', import.meta.url)) }),
        // Awaited, so that wrong settings are told as such and not as a failure of the framework.
        await ChainModule.register({ boot, store, actors, reads, keys: keys.access, jobs: listenForWorkers(boot, keys) }),
        keys.module,
      ],
    };
  }
}
