import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { ChainfoldError, type Clock } from '#platform/kernel';
import { EmbeddedNode, type EmbeddedNodeLog, type RpcCall, type RpcOutcome } from '../ports/embedded-node.port.ts';
import { anvilBinary, boundToOurLife } from './anvil/anvil-binary.ts';
import { AnvilIdentityFile } from './anvil/anvil-orphan.ts';
import { anvilDump, anvilInstance, anvilRpc } from './anvil/anvil-rpc.ts';
import { AnvilStateFiles } from './anvil/anvil-state.ts';

export interface AnvilOptions {
  /** Holds the chain and the pid; made if absent. Nobody else may use it. */
  readonly dir: string;
  /** Left out: a free one. */
  readonly port?: number;
  /** Begin a new chain: for a log that has none, because old blocks are not kept for ever. */
  readonly fresh?: boolean;
  readonly saveEveryMs?: number;
  /** Held before the oldest are let go of. */
  readonly maxBlocks?: number;
}

/** Worth nothing anywhere: published here. */
export const DEMO_MNEMONIC = 'disorder snap drift neutral total craft neither earth long remember become hurry';
export const DEMO_ACCOUNTS = 20;
export const DEMO_CHAIN_ID = 31337;

/** The genesis hash must never change, or a chain captured yesterday would be another one: 2026-01-01T00:00:00Z. */
const GENESIS_TIMESTAMP = 1_767_225_600;
/** `safe` is 16 blocks below the head and `finalized` 32: they move within the first minute or two. */
const SLOTS_IN_AN_EPOCH = 16;
/** Bodies kept by the running node, about 17 minutes; capture is seconds behind. With it the state is about 25 MB of JSON, 3 MB on disk, and a save takes 0.2 s. */
const KEEP_BODIES = 512;
/** So many past states in memory (none on disk): what a reorg can go back to. */
const KEEP_STATES = 64;
/** Headers beyond KEEP_BODIES are dropped by loading the chain anew, about twice a day. */
const MAX_BLOCKS = 20_000;
const SAVE_EVERY_MS = 5_000;
/** A save takes longer the more the node holds; it may cost one part in fifty of the time. */
const SAVE_SHARE = 50;
/** What a kill -9 of anvil takes back must stay far above the finalized block, 32 blocks or about 70 s below the head. */
const SAVE_AT_LEAST_EVERY_MS = 30_000;
const START_TIMEOUT_MS = 15_000;
const BACKOFF_MS = { first: 500, most: 30_000 };
/** One that lived so long was well: the next back-off starts small again. */
const HEALTHY_AFTER_MS = 30_000;

/** anvil of `@foundry-rs/anvil` as our child, listening on the loopback interface only. */
export class AnvilEmbeddedNode extends EmbeddedNode {
  readonly #options: AnvilOptions;
  readonly #log: EmbeddedNodeLog;
  readonly #clock: Clock;
  readonly #files: AnvilStateFiles;
  readonly #identity: AnvilIdentityFile;
  #port = 0;
  #child: ChildProcess | undefined;
  #incarnation = 0;
  #stopping: AbortController | undefined;
  #saving: Promise<void> | undefined;
  #savedHead = '';
  #savedNumber = 0;
  #blocks = 0;
  #housekeeping: Promise<void> | undefined;

  constructor(options: AnvilOptions, log: EmbeddedNodeLog, clock: Clock) {
    super();
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
    this.#files = new AnvilStateFiles(options.dir, KEEP_BODIES);
    this.#identity = new AnvilIdentityFile(options.dir);
  }

  override get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  override get incarnation(): number {
    return this.#incarnation;
  }

  /** Of the anvil that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  override async start(): Promise<void> {
    const orphan = await this.#identity.endOrphan(this.#files);
    if (orphan !== undefined) this.#log.info({ pid: orphan }, 'embedded node of an earlier run ended, its chain saved');
    if (this.#options.fresh === true) await this.#files.forget();
    this.#port = this.#options.port ?? (await freePort());
    this.#stopping = new AbortController();
    await this.#launch();
    this.#housekeeping = this.#keepHouse(this.#stopping.signal);
  }

  override async request(calls: readonly RpcCall[]): Promise<readonly RpcOutcome[]> {
    return anvilRpc(this.url, calls);
  }

  override async save(): Promise<void> {
    this.#saving ??= this.#saveNow().finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  override async stop(): Promise<void> {
    if (this.#stopping === undefined || this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('the embedded node is being stopped'));
    await this.#housekeeping;
    const saved = await this.save().then(() => this.#child !== undefined, () => false);
    await this.#end();
    if (saved) await this.#files.loaded();
    await this.#identity.forget();
  }

  async #launch(): Promise<void> {
    const restored = await this.#files.prepare();
    const words = [...boundToOurLife(), anvilBinary(), ...this.#arguments(restored !== undefined)];
    // A process group of its own: the Ctrl-C of a terminal goes to our whole group, but only our stop may end the node.
    const child = spawn(words[0] as string, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true, detached: process.platform !== 'win32' });
    this.#child = child;
    const lines = this.#follow(child);
    const instance = await this.#answered(child, lines);
    this.#incarnation += 1;
    this.#blocks = restored?.blocks ?? 1;
    this.#savedHead = '';
    await this.#identity.remember({ pid: child.pid as number, url: this.url, instance });
    await this.save();
    await this.#files.loaded();
    this.#log.info({ url: this.url, pid: child.pid, head: restored?.head ?? 0 }, restored ? 'embedded node goes on' : 'embedded node began a new chain');
    const stopping = this.#stopping;
    child.once('exit', (code, signal) => {
      if (this.#child !== child || stopping === undefined || stopping.signal.aborted) return;
      this.#child = undefined;
      this.#log.warn({ code, signal }, 'embedded node ended unasked, starting it again');
    });
  }

  #arguments(restored: boolean): string[] {
    const verbose = this.#log.isLevelEnabled?.('debug') ?? false;
    return [
      ['--host', '127.0.0.1', '--port', String(this.#port), '--no-cors'],
      ['--chain-id', String(DEMO_CHAIN_ID), '--timestamp', String(GENESIS_TIMESTAMP), '--hardfork', 'osaka'],
      ['--mnemonic', DEMO_MNEMONIC, '--accounts', String(DEMO_ACCOUNTS), '--balance', '1000000000'],
      // By fee, anvil 1.7.1 may take a sender's later nonce first and then silently loses it.
      ['--no-mining', '--order', 'fifo', '--slots-in-an-epoch', String(SLOTS_IN_AN_EPOCH)],
      ['--prune-history', String(KEEP_STATES), '--transaction-block-keeper', String(KEEP_BODIES)],
      // On its end only: while it runs, saving is ours.
      ['--dump-state', this.#files.parting, '--state-interval', '86400'],
      restored ? ['--load-state', this.#files.loading] : [],
      verbose ? ['--color', 'never'] : ['--quiet'],
    ].flat();
  }

  /** Its words go to debug; the last few are kept for the error, should it not come up. */
  #follow(child: ChildProcess): string[] {
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (last.push(line) > 20) last.shift();
        this.#log.debug({ line }, 'embedded node says');
      });
    }
    return last;
  }

  async #answered(child: ChildProcess, lines: readonly string[]): Promise<string> {
    let spawnError: Error | undefined;
    child.once('error', (error) => (spawnError = error));
    const deadline = this.#clock.monotonic() + START_TIMEOUT_MS;
    while (child.exitCode === null && child.signalCode === null && spawnError === undefined && this.#clock.monotonic() < deadline) {
      const instance = await anvilInstance(this.url);
      if (instance !== undefined && child.exitCode === null) return instance;
      await this.#clock.sleep(40);
    }
    child.kill('SIGKILL');
    throw new ChainfoldError('The embedded node did not start', {
      code: 'embedded-node-failed',
      kind: 'unavailable',
      retryable: true,
      facts: { exit: child.exitCode, said: lines.slice(-5).join('\n') },
      hint: `Look at the message of anvil, or move ${this.#options.dir} away to begin a new chain, or set RPC_URL to a node of your own.`,
      cause: spawnError,
    });
  }

  /** Saves as the chain grows, brings the node back when it dies, and loads it anew when it holds too much. */
  async #keepHouse(signal: AbortSignal): Promise<void> {
    let backoff = BACKOFF_MS.first;
    let bornAt = this.#clock.monotonic();
    let pause = this.#options.saveEveryMs ?? SAVE_EVERY_MS;
    for (;;) {
      try {
        await this.#wait(this.#child === undefined ? backoff : pause, signal);
        if (this.#child === undefined) {
          await this.#launch();
          backoff = this.#clock.monotonic() - bornAt > HEALTHY_AFTER_MS ? BACKOFF_MS.first : Math.min(backoff * 2, BACKOFF_MS.most);
          bornAt = this.#clock.monotonic();
        }
        const before = this.#clock.monotonic();
        await this.save();
        const spent = this.#clock.monotonic() - before;
        pause = Math.max(this.#options.saveEveryMs ?? SAVE_EVERY_MS, Math.min(spent * SAVE_SHARE, SAVE_AT_LEAST_EVERY_MS));
        if (this.#blocks > (this.#options.maxBlocks ?? MAX_BLOCKS)) await this.#loadAnew();
      } catch (error) {
        if (signal.aborted) return;
        backoff = Math.min(backoff * 2, BACKOFF_MS.most);
        this.#log.warn({ err: error }, 'embedded node could not be kept');
      }
    }
  }

  /** Sleeps, but wakes when the node dies. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const child = this.#child;
    if (child === undefined) return this.#clock.sleep(ms, signal);
    const waking = new AbortController();
    const either = AbortSignal.any([signal, waking.signal]);
    const wake = (): void => waking.abort(new Error('the node ended'));
    child.once('exit', wake);
    try {
      await this.#clock.sleep(ms, either);
    } catch (error) {
      if (signal.aborted) throw error;
    } finally {
      child.off('exit', wake);
    }
  }

  async #loadAnew(): Promise<void> {
    this.#log.info({ blocks: this.#blocks }, 'embedded node lets go of old blocks');
    await this.#end();
    await this.#launch();
  }

  async #saveNow(): Promise<void> {
    if (this.#child === undefined) return;
    const [head] = await this.request([{ method: 'eth_getBlockByNumber', params: ['latest', false] }]);
    const block = head?.ok === true ? (head.result as { hash: string; number: string }) : undefined;
    if (block === undefined || block.hash === this.#savedHead) return;
    const dump = await anvilDump(this.url);
    if (dump === undefined) return;
    await this.#files.save(dump);
    if (this.#savedHead !== '') this.#blocks += Math.max(0, Number(block.number) - this.#savedNumber);
    this.#savedHead = block.hash;
    this.#savedNumber = Number(block.number);
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    await gone;
    clearTimeout(late);
  }
}

/** Another process may take it before anvil does: then the start fails and says so. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
