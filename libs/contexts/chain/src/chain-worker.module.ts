import { Module, type DynamicModule } from '@nestjs/common';
import type { KeyAccess } from '#contracts/key-pool';
import { processMetrics } from '#platform/observability';
import type { WorkerBoot } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import type { OwnerConnection } from '#platform/workers';
import { plainNodes, plannedNodes } from './adapters/chain-nodes.ts';
import { NestReadingBoard } from './adapters/nest.reading-board.ts';
import { ThreadBlockReader } from './adapters/thread.block-reader.ts';
import { nodeMetrics } from './application/capture-metrics.ts';
import { needOf, planChain, whereAsked } from './application/planned-nodes.ts';
import { ReadingWorker } from './application/reading-worker.ts';
import { startNotices } from './application/start-notices.ts';
import type { chainSettings, ConfiguredChain } from './chain.settings.ts';
import type { ChainNode } from './ports/chain-node.port.ts';
import type { NodePlace } from './ports/reading-board.port.ts';

export interface ChainWorkerSurroundings {
  readonly boot: WorkerBoot<SettingsOf<typeof chainSettings>>;
  readonly owner: OwnerConnection;
  readonly chains: readonly ConfiguredChain[];
  readonly keys: KeyAccess;
}

/** Reads for the owner, with the nodes of this process's own configuration. */
@Module({})
export class ChainWorkerModule {
  static register({ boot, owner, chains, keys }: ChainWorkerSurroundings): DynamicModule {
    const { clock, log, lifecycle } = boot;
    for (const { message, fields } of startNotices(chains, { keys: keys.any, workers: true })) log.warn(fields, message);
    const metrics = nodeMetrics(processMetrics);
    const reader = new ThreadBlockReader({ clock, metrics, spending: { purse: keys.purse, log } });
    const nodes = new Map<string, readonly ChainNode[]>();
    for (const chain of chains) nodes.set(chain.name, nodesOf(chain, reader, keys) ?? plainNodes(chain, reader, { clock, metrics }));
    const nodeAt = ({ chain, node }: NodePlace): ChainNode | undefined => nodes.get(chain)?.[node];
    const worker = new ReadingWorker({ board: new NestReadingBoard(owner), reader, nodeAt, clock, log });
    processMetrics.observed('chainfold_chain_reading_jobs', 'Reading jobs of the owner that this process works on', [], () => [{ value: worker.load, labels: {} }]);
    const stopping = new AbortController();
    let running: Promise<void> | undefined;
    lifecycle.add({ name: 'block reader', phase: 'processes', stop: () => reader.close() });
    lifecycle.add({
      name: 'reading for the owner',
      phase: 'processes',
      start: () => void (running = worker.run(stopping.signal)),
      stop: async () => {
        stopping.abort(new Error('the program is ending'));
        await running;
      },
    });
    return { module: ChainWorkerModule };
  }
}

/** As the owner plans them, from the same configuration. */
function nodesOf(chain: ConfiguredChain, reader: ThreadBlockReader, keys: KeyAccess): readonly ChainNode[] | undefined {
  const { through } = chain;
  if ('rpcUrls' in through) return undefined;
  const providers = keys.providersFor(through.chainId, through.providers);
  return plannedNodes(planChain(keys, { chainId: through.chainId, asked: whereAsked(chain) }, providers, needOf(chain)).plans, providers, reader, through.chainId);
}
