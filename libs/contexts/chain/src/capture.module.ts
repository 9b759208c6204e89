import { join, resolve } from 'node:path';
import type { EmulatedAccess, KeyAccess, ProviderKeys } from '#contracts/key-pool';
import { START, type Clock } from '#platform/kernel';
import type { EventStore } from '#platform/event-store';
import { processMetrics } from '#platform/observability';
import type { Boot } from '#platform/runtime';
import type { SettingsOf } from '#platform/settings';
import { AnvilEmbeddedNode, DEMO_ACCOUNTS, DEMO_CHAIN_ID, DEMO_MNEMONIC } from './adapters/anvil.embedded-node.ts';
import { plainNodes, plannedNodes } from './adapters/chain-nodes.ts';
import { connectChainNode } from './adapters/connect.chain-node.ts';
import { SharedBlockReader } from './adapters/remote.block-reader.ts';
import { ThreadBlockReader } from './adapters/thread.block-reader.ts';
import { recoverSender } from './adapters/noble.recover-sender.ts';
import { createKeccak256 } from './adapters/hash-wasm.keccak.ts';
import { BackfillProcess } from './application/backfill.process.ts';
import type { CaptureMetrics } from './application/capture-log.ts';
import { backfillHealth, captureHealth } from './application/capture-health.ts';
import { isNamedOnce } from './application/chain-agreement.ts';
import { captureMetrics, nodeMetrics, readMetrics } from './application/capture-metrics.ts';
import type { ReadingJobs } from './application/reading-jobs.ts';
import { CaptureProcess, type CaptureParts, type OpenChain } from './application/capture.process.ts';
import type { CaptureStatusBoard } from './application/capture-status.ts';
import type { BackfillActors, BlockBodyActors, ChainActors } from './application/chain-actors.ts';
import { DemoTrafficProcess } from './application/demo-traffic.process.ts';
import { requireNamedProviders } from './application/named-providers.ts';
import { needOf, planChain, type PlanInWords, whereAsked } from './application/planned-nodes.ts';
import { configuredChains, type chainSettings, type ConfiguredChain } from './chain.settings.ts';
import { startNotices } from './application/start-notices.ts';
import { verificationRules } from './application/verification-settings.ts';
import type { VerificationCrypto } from './domain/verification/crypto.ts';
import type { ChainNode } from './ports/chain-node.port.ts';

export type ChainBoot = Boot<SettingsOf<typeof chainSettings>>;

export interface CaptureSurroundings {
  readonly boot: ChainBoot;
  readonly store: EventStore;
  readonly board: CaptureStatusBoard;
  readonly chains: ChainActors;
  readonly bodies: BlockBodyActors;
  readonly backfills: BackfillActors;
  readonly crypto: VerificationCrypto;
  /** What worker processes read; left out: this process reads alone. */
  readonly jobs?: ReadingJobs | undefined;
  readonly keys: KeyAccess;
}

const DEMO_NAME = 'demo (embedded node)';
const DEMO_SEED = 1;
const DEMO_REORG_EVERY_SECONDS = 180;
const TAGS_EVERY_BLOCKS = 4;
const DEMO = { transactionsPerBlock: 10, blockTimeMs: 2_000 };

export async function verificationCrypto(): Promise<VerificationCrypto> {
  return { keccak256: await createKeccak256(), recoverSender };
}

/** Puts the capture of every configured chain, or of the embedded one, under the program's lifecycle. */
export class ChainCapture {
  readonly #around: CaptureSurroundings;
  readonly #metrics: CaptureMetrics = captureMetrics(processMetrics);
  readonly #nodeMetrics = nodeMetrics(processMetrics);
  readonly #reader: ThreadBlockReader;
  readonly #shared: SharedBlockReader | undefined;
  readonly #names = new Map<string, string>();
  readonly #plans = new Map<string, PlanInWords>();
  readonly #open = new Map<string, Promise<OpenChain>>();
  readonly backfills: BackfillProcess;

  constructor(around: CaptureSurroundings) {
    this.#around = around;
    const { store, chains, backfills, boot, jobs } = around;
    const { clock, log } = boot;
    this.#reader = new ThreadBlockReader({ clock, metrics: this.#nodeMetrics, spending: { purse: around.keys.purse, log } });
    this.#shared = jobs && new SharedBlockReader({ local: this.#reader, jobs, log, counted: readMetrics(processMetrics, jobs) });
    this.backfills = new BackfillProcess({ reader: store, chains, backfills, clock, log, metrics: this.#metrics, open: (chainId) => this.#open.get(chainId) });
  }

  nameOf(chainId: string): string | undefined {
    return this.#names.get(chainId);
  }

  /** How its blocks are fetched; undefined where it is captured through plain nodes. */
  planOf(chainId: string): PlanInWords | undefined {
    return this.#plans.get(chainId);
  }

  register(): void {
    const { boot, board, chains, keys, jobs } = this.#around;
    const configured = configuredChains(boot.settings, keys.any);
    for (const chain of configured) if (chain.chainId !== undefined) this.#names.set(chain.chainId, chain.name);
    if (configured.length === 0) this.#names.set(String(DEMO_CHAIN_ID), DEMO_NAME);
    if (boot.capture === 'offline') return;
    requireNamedProviders(configured, keys);
    for (const { message, fields } of startNotices(configured, { keys: keys.any, workers: jobs !== undefined })) boot.log.warn(fields, message);
    boot.lifecycle.add({ name: 'block reader', phase: 'processes', stop: () => this.#reader.close() });
    boot.health.add('capture', () => captureHealth(board, chains, boot.clock));
    boot.health.add('backfills', () => backfillHealth(this.backfills));
    for (const chain of configured) this.#capture(chain, isNamedOnce(chain, configured));
    if (configured.length === 0 && boot.capture === 'online') this.#captureEmbedded();
    this.#runs('backfills', (signal) => this.backfills.run(signal));
  }

  #capture(chain: ConfiguredChain, isShared: boolean): void {
    const { boot } = this.#around;
    const process = new CaptureProcess(
      {
        name: chain.name,
        chainId: chain.chainId,
        nodes: this.#nodesOf(chain, isShared),
        startBlock: chain.startBlock,
        finality: chain.finality,
        rules: verificationRules(chain.verify),
        blockTimeMs: chain.blockTimeMs,
        follow: boot.capture === 'online',
      },
      this.#parts(),
    );
    this.#follows(chain.name, process);
  }

  /** Those that are the same in worker processes are read there too. */
  #nodesOf(chain: ConfiguredChain, isShared: boolean): readonly ChainNode[] {
    const { boot, keys } = this.#around;
    const { through } = chain;
    const nodes =
      'rpcUrls' in through
        ? plainNodes(chain, this.#reader, { clock: boot.clock, metrics: this.#nodeMetrics })
        : this.#planned({ chainId: through.chainId, asked: whereAsked(chain) }, keys.providersFor(through.chainId, through.providers), needOf(chain));
    if (isShared) for (const [at, node] of nodes.entries()) this.#shared?.share(node, { chain: chain.name, node: at, metered: !('rpcUrls' in through) });
    return nodes;
  }

  #planned(wanted: Parameters<typeof planChain>[1], providers: readonly ProviderKeys[], need: Parameters<typeof planChain>[3]): readonly ChainNode[] {
    const { boot, keys } = this.#around;
    const { chainId } = wanted;
    const { plans, words } = planChain(keys, wanted, providers, need);
    this.#plans.set(chainId, words);
    boot.log.info({ chainId, plan: words.name, heads: words.heads, note: words.note }, 'blocks are planned');
    return plannedNodes(plans, providers, this.#reader, chainId);
  }

  #captureEmbedded(): void {
    const { boot, store } = this.#around;
    const { lifecycle, log, clock } = boot;
    let node: AnvilEmbeddedNode | undefined;
    let traffic: DemoTrafficProcess | undefined;
    let emulated: EmulatedAccess | undefined;
    lifecycle.add({
      name: 'embedded node',
      phase: 'node',
      start: async () => {
        // The node keeps old blocks only for a while, so a new log begins a new chain.
        const fresh = (await store.head()) === START;
        node = new AnvilEmbeddedNode({ dir: join(resolve(boot.settings.data.dir), 'embedded-node'), fresh }, log, clock);
        await node.start();
        const demo = { mnemonic: DEMO_MNEMONIC, accounts: DEMO_ACCOUNTS, chainId: BigInt(DEMO_CHAIN_ID), seed: DEMO_SEED };
        traffic = new DemoTrafficProcess(node, { ...demo, reorgEverySeconds: DEMO_REORG_EVERY_SECONDS }, log, clock);
        emulated = await this.#around.keys.emulate?.({ http: node.url, ws: node.url.replace(/^http/, 'ws') });
        const process = this.#embeddedProcess(node.url, clock, emulated);
        this.#opens(DEMO_NAME, process);
        capturing = process;
      },
      stop: async () => {
        await emulated?.close();
        await node?.stop();
      },
    });
    let capturing: CaptureProcess | undefined;
    this.#runs('capture of the embedded node', async (signal) => capturing?.run(signal));
    lifecycle.add({ name: 'demo traffic', phase: 'processes', start: () => traffic?.start(), stop: () => traffic?.stop() });
  }

  #embeddedProcess(httpUrl: string, clock: Clock, emulated: EmulatedAccess | undefined): CaptureProcess {
    const chainId = String(DEMO_CHAIN_ID);
    const own = (): readonly ChainNode[] => [connectChainNode(httpUrl.replace(/^http/, 'ws'), { clock, metrics: this.#nodeMetrics, receipts: true })];
    return new CaptureProcess(
      {
        name: DEMO_NAME,
        chainId,
        nodes: emulated === undefined ? own() : this.#planned({ chainId, asked: 'keyPool.emulated' }, emulated.providers, { ...DEMO, receipts: true }),
        startBlock: this.#around.boot.settings.capture.startBlock ?? 0,
        finality: 'auto',
        // Our own node: asking costs nothing, or emulated units, and finality should move while somebody looks.
        tagsEvery: { blocks: emulated === undefined ? 1 : TAGS_EVERY_BLOCKS, ms: 0 },
        rules: 'auto',
        blockTimeMs: undefined,
        follow: true,
      },
      this.#parts(),
    );
  }

  #follows(name: string, process: CaptureProcess): void {
    this.#runs(`capture of ${name}`, (signal) => {
      this.#opens(name, process);
      return process.run(signal);
    });
  }

  /** Backfills of a chain begin when it is open. */
  #opens(name: string, process: CaptureProcess): void {
    process.opened().then(
      ({ chainId }) => {
        this.#names.set(chainId, name);
        this.#open.set(chainId, process.opened());
        this.backfills.chainOpened();
      },
      () => undefined,
    );
  }

  #runs(name: string, run: (signal: AbortSignal) => Promise<void> | undefined): void {
    const { lifecycle, log } = this.#around.boot;
    const stopping = new AbortController();
    let running: Promise<void> | undefined;
    lifecycle.add({
      name,
      phase: 'processes',
      start: () => {
        running = run(stopping.signal)?.catch((error: unknown) => {
          if (!stopping.signal.aborted) log.error({ err: error, process: name }, 'process ended');
        });
      },
      stop: () => {
        stopping.abort(new Error('the program is ending'));
        return running;
      },
    });
  }

  #parts(): CaptureParts {
    const { boot, board, chains, bodies, crypto, store } = this.#around;
    const appendTexts = store.appendTexts?.bind(store);
    return { ...(appendTexts !== undefined && { aside: { reader: this.#shared ?? this.#reader, store: { appendTexts } } }), chains, bodies, crypto, board, clock: boot.clock, log: boot.log, metrics: this.#metrics };
  }
}
