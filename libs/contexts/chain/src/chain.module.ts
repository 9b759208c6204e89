import { extname } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { KeyAccess } from '#contracts/key-pool';
import type { ActorSystem } from '#platform/actors';
import type { EventStore } from '#platform/event-store';
import { processMetrics } from '#platform/observability';
import type { ReadStore } from '#platform/read-store';
import { SqliteChainExplorer } from './adapters/sqlite.chain-explorer.ts';
import { chainApiProviders, chainControllers, type ChainNames, ChainOverview, StoreVerification, VerificationController } from './api/index.ts';
import { observeChains } from './application/capture-metrics.ts';
import { CaptureStatusBoard } from './application/capture-status.ts';
import { BackfillActors, BlockBodyActors, ChainActors, defineChainActors } from './application/chain-actors.ts';
import type { ReadingJobs } from './application/reading-jobs.ts';
import { TellChainHandler } from './application/tell-chain.handler.ts';
import { verifyStore } from './application/verify-store.ts';
import { ChainCapture, verificationCrypto, type ChainBoot } from './capture.module.ts';
import { ChainExplorer } from './ports/chain-explorer.port.ts';

/** Where the projector's thread finds this context's projections. */
export const chainProjections = new URL(`./projections/index${extname(import.meta.url)}`, import.meta.url).href;

export interface ChainSurroundings {
  readonly boot: ChainBoot;
  readonly store: EventStore;
  readonly actors: ActorSystem;
  readonly reads: ReadStore;
  readonly keys: KeyAccess;
  /** What worker processes read of it; left out: this process reads alone. */
  readonly jobs?: ReadingJobs | undefined;
}

/** The chain context: captures what settings say, answers what was captured. */
@Module({})
export class ChainModule {
  static async register({ boot, store, actors, reads, keys, jobs }: ChainSurroundings): Promise<DynamicModule> {
    const crypto = await verificationCrypto();
    const board = new CaptureStatusBoard(boot.clock);
    const { chains, bodies, backfills } = defineChainActors(actors, crypto.keccak256);
    const capture = new ChainCapture({ boot, store, board, chains, bodies, backfills, crypto, keys, jobs });
    capture.register();
    const names: ChainNames = { nameOf: (chainId) => capture.nameOf(chainId), planOf: (chainId) => capture.planOf(chainId) };
    const explorer = new SqliteChainExplorer(reads, store, boot.clock);
    const overview = new ChainOverview(explorer, board, names, boot.clock);
    observeChains(processMetrics, board, async () => {
      const { items } = await overview.all().catch(() => ({ items: [] }));
      return items.flatMap(({ chainId, head, headAgeSeconds }) => (head === null || headAgeSeconds === null ? [] : [{ chainId, head: head.number, ageSeconds: headAgeSeconds }]));
    });
    return {
      module: ChainModule,
      imports: [CqrsModule.forRoot()],
      controllers: [...chainControllers, VerificationController],
      providers: [
        ...chainApiProviders,
        { provide: ChainActors, useValue: chains },
        { provide: BlockBodyActors, useValue: bodies },
        { provide: BackfillActors, useValue: backfills },
        { provide: CaptureStatusBoard, useValue: board },
        { provide: ChainExplorer, useValue: explorer },
        { provide: ChainOverview, useValue: overview },
        { provide: StoreVerification, useValue: { steps: (wanted) => verifyStore({ reader: store, crypto, ...wanted }) } satisfies StoreVerification },
        { provide: TellChainHandler, useFactory: () => new TellChainHandler(chains) },
      ],
    };
  }
}
