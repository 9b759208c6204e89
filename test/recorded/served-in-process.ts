import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CqrsModule } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { EventStore } from '#platform/event-store';
import { createHttpAdapter, HttpModule } from '#platform/http';
import { systemClock } from '#platform/kernel';
import { ProjectionRunner } from '#platform/projections';
import { SqliteReadStore, SqliteReadWriter } from '#platform/read-store';
import { SqliteChainExplorer } from '../../libs/contexts/chain/src/adapters/sqlite.chain-explorer.ts';
import type { ChainNames} from '../../libs/contexts/chain/src/api/chain-status.ts';
import { ChainOverview } from '../../libs/contexts/chain/src/api/chain-status.ts';
import { chainApiProviders, chainControllers } from '../../libs/contexts/chain/src/api/index.ts';
import { CaptureStatusBoard } from '../../libs/contexts/chain/src/application/capture-status.ts';
import { ChainExplorer } from '../../libs/contexts/chain/src/ports/chain-explorer.port.ts';
import { CHAIN_EXPLORER, chainExplorer } from '../../libs/contexts/chain/src/projections/chain-explorer.projection.ts';

export interface ServedLog {
  /** An answer under /api/v1, once everything is visible that the log held when this was made. */
  readonly api: (path: string) => Promise<any>;
  close(): Promise<void>;
}

/** Projects a log and serves the API over it, within this process and without a port. */
export async function servedInProcess(log: EventStore): Promise<ServedLog> {
  const dir = mkdtempSync(join(tmpdir(), 'chainfold-served-'));
  const writer = new SqliteReadWriter(join(dir, 'read.db'), systemClock);
  const store = new SqliteReadStore(join(dir, 'read.db'));
  const runner = new ProjectionRunner({ reader: log, store: writer, projections: [chainExplorer], clock: systemClock, onProgress: (name, position) => store.advanced(name, position) });
  await runner.start();
  await store.waitFor(CHAIN_EXPLORER, await log.head(), 30_000, systemClock);
  const app = await apiOver(new SqliteChainExplorer(store, log, systemClock));
  return {
    api: async (path) => {
      const answer = await app.inject({ method: 'GET', url: `/api/v1${path}` });
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${answer.body}`);
      return answer.json();
    },
    close: async () => {
      await app.close();
      await runner.close();
      store.close();
      writer.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function apiOver(explorer: ChainExplorer): Promise<NestFastifyApplication> {
  const names: ChainNames = { nameOf: () => undefined, planOf: () => undefined };
  const board = new CaptureStatusBoard(systemClock);
  const module = await Test.createTestingModule({
    imports: [CqrsModule.forRoot(), HttpModule.register({ info: { title: 'test', version: '1', description: '' }, accessTokens: [] })],
    controllers: [...chainControllers],
    providers: [
      ...chainApiProviders,
      { provide: ChainExplorer, useValue: explorer },
      { provide: ChainOverview, useValue: new ChainOverview(explorer, board, names, systemClock) },
    ],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { logger: false });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
