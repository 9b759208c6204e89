import { randomInt } from 'node:crypto';
import type { Actors } from '#platform/actors';
import type { Clock } from '#platform/kernel';
import { ChainfoldError } from '#platform/kernel';
import type { FinalitySetting } from '../chain.settings.ts';
import type { BlockBodyCommand } from '../domain/chain.commands.ts';
import type { Hex } from '../domain/rpc-types.ts';
import type { VerificationCrypto } from '../domain/verification/crypto.ts';
import type { VerificationRules } from '../domain/verification/verification-rules.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { BlockCheck } from './block-check.ts';
import type { Aside, IntakeLimits } from './block-intake.ts';
import { BlockIntake } from './block-intake.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import type { CaptureState, CaptureStatus, CaptureStatusBoard } from './capture-status.ts';
import { ChainContradicts, NoProvider, detailsOf, isNodeTrouble } from './capture.errors.ts';
import { openChain } from './chain-opening.ts';
import { ChainReorganizer } from './chain-reorganizer.ts';
import type { ChainActors } from './chain-actors.ts';
import { viewOf } from './chain-view.ts';
import { FinalityWatch } from './finality-watch.ts';
import { HeadCapture } from './head-capture.ts';
import { HeadPriority } from './head-priority.ts';
import { HeadWatch } from './head-watch.ts';
import { ProviderSet } from './provider-set.ts';

export interface CaptureChain {
  /** Stands for the chain on the status board until its chain id is known. */
  readonly name: string;
  /** Decimal; undefined: what the first provider says. */
  readonly chainId: string | undefined;
  /** In order of preference. The process closes them when it ends. */
  readonly nodes: readonly ChainNode[];
  /** As of `ProviderSet`. */
  readonly preference?: ((node: ChainNode) => number) | undefined;
  readonly startBlock: number | 'latest';
  readonly finality: FinalitySetting;
  /** Of the tags: 1 and 0 for a chain that is our own, where asking costs nothing. */
  readonly tagsEvery?: { readonly blocks: number; readonly ms: number };
  readonly rules: VerificationRules | 'auto';
  readonly blockTimeMs: number | undefined;
  /** False: the chain is opened, so that backfills can run, and its head is left alone. */
  readonly follow?: boolean;
}

export interface CaptureParts {
  readonly chains: ChainActors;
  readonly bodies: Pick<Actors<unknown, BlockBodyCommand>, 'tell'>;
  readonly crypto: VerificationCrypto;
  readonly board: CaptureStatusBoard;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly metrics: CaptureMetrics;
  readonly limits?: Partial<IntakeLimits>;
  /** Where long ranges are read beside this thread. */
  readonly aside?: Aside;
}

/** What a chain's backfills share with its head. */
export interface OpenChain {
  readonly chainId: string;
  readonly intake: BlockIntake;
  readonly priority: HeadPriority;
  /** False where its head is left alone. */
  readonly follows: boolean;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const STOPPED_LOOK_MS = 250;
/** Without a block for so long, the other providers are asked whether they have come further. */
const STANDS_STILL_MS = 15_000;
const STANDS_STILL_BLOCKS = 3;

/** Captures the head of one chain for ever: follows, fills, leaves dropped branches, marks what is final. */
export class CaptureProcess {
  readonly #chain: CaptureChain;
  readonly #parts: CaptureParts;
  readonly #providers: ProviderSet;
  readonly #priority = new HeadPriority();
  readonly #opened = Promise.withResolvers<OpenChain>();
  #boardKey: string;
  #state: CaptureState | undefined;
  #reason: string | undefined;
  #failures = 0;

  constructor(chain: CaptureChain, parts: CaptureParts) {
    this.#chain = chain;
    this.#parts = parts;
    this.#boardKey = chain.chainId ?? chain.name;
    const { clock, log, metrics } = parts;
    this.#providers = new ProviderSet({ nodes: chain.nodes, chainId: chain.chainId, preference: chain.preference, clock, log, metrics });
    this.#opened.promise.catch(() => undefined);
  }

  /** Resolves when the chain's identity is known and started; rejects when the process ends before. */
  opened(): Promise<OpenChain> {
    return this.#opened.promise;
  }

  /** Runs until the signal is aborted, then resolves. Trouble of nodes is waited out; it never rejects for it. */
  async run(signal: AbortSignal): Promise<void> {
    this.#show('starting', undefined);
    // A mute node must not hold up the end: its connections are cut, and what was asked of it fails.
    const cut = (): void => void this.#providers.close().catch(() => undefined);
    signal.addEventListener('abort', cut, { once: true });
    try {
      const open = await this.#persist(signal, () => this.#open(signal));
      if (open === undefined) return;
      this.#opened.resolve(open);
      if (this.#chain.follow === false) await untilAborted(signal);
      else await this.#follow(open, signal);
    } finally {
      this.#opened.reject(new Error('capture ended'));
      await this.#providers.close();
    }
  }

  async #open(signal: AbortSignal): Promise<OpenChain & { readonly check: BlockCheck }> {
    const { chains, crypto, metrics, clock, log, bodies, limits, aside } = this.#parts;
    const chainId = await this.#providers.chainId();
    if (this.#boardKey !== chainId) this.#parts.board.forget(this.#boardKey);
    this.#boardKey = chainId;
    this.#show('starting', undefined);
    const check = new BlockCheck({ chainId, crypto, metrics, rules: this.#chain.rules });
    await openChain({ chainId, providers: this.#providers, chains, check, startBlock: this.#chain.startBlock, signal });
    const intake = new BlockIntake({ chainId, providers: this.#providers, check, bodies, clock, log, limits, aside });
    return { chainId, check, intake, priority: this.#priority, follows: this.#chain.follow !== false };
  }

  async #follow({ chainId, check, intake }: OpenChain & { readonly check: BlockCheck }, signal: AbortSignal): Promise<void> {
    const { chains, clock, log, metrics, board } = this.#parts;
    const providers = this.#providers;
    const watch = new HeadWatch({ chainId, providers, clock, log, blockTimeMs: this.#chain.blockTimeMs });
    const reorganizer = new ChainReorganizer({ chainId, providers, intake, chains, clock, log, metrics });
    let movedAt = clock.monotonic();
    const progressed = (nodeHead: number, behind: boolean): void => {
      movedAt = clock.monotonic();
      board.progressed(chainId);
      this.#show(behind ? 'backfilling' : 'following', undefined, nodeHead);
    };
    const head = new HeadCapture({ chainId, chains, intake, reorganizer, metrics, clock, log, progressed });
    const { tagsEvery } = this.#chain;
    const pace = tagsEvery === undefined ? {} : { everyBlocks: tagsEvery.blocks, everyMs: tagsEvery.ms };
    const finality = new FinalityWatch({ chainId, providers, chains, clock, finality: this.#chain.finality, ...pace });
    const listening = watch.listen(signal);
    while (!signal.aborted) {
      await this.#persist(signal, async () => {
        if (await this.#whileStopped(chainId, signal)) watch.pollSoon();
        if (providers.several && clock.monotonic() - movedAt > Math.max(STANDS_STILL_MS, STANDS_STILL_BLOCKS * watch.blockTimeMs)) {
          movedAt = clock.monotonic();
          await providers.leaveIfStill(viewOf((await chains.peek(chainId)).state).next, (node, { hash }) => holdsWhole(check, node, hash, signal));
        }
        const hint = await watch.next(signal);
        board.update(chainId, { nodeHead: hint.number });
        try {
          const again = await this.#priority.during(() => head.take(hint, signal));
          if (again) watch.pollSoon();
          this.#show('following', undefined, hint.number);
          await finality.refresh(viewOf((await chains.peek(chainId)).state));
        } catch (error) {
          watch.pollSoon();
          throw error;
        }
      });
    }
    await listening;
  }

  /** True when it was stopped and has been resumed. Resuming is a command; here it is only noticed. */
  async #whileStopped(chainId: string, signal: AbortSignal): Promise<boolean> {
    for (let waited = false; ; waited = true) {
      const view = viewOf((await this.#parts.chains.peek(chainId)).state);
      if (view.status !== 'stopped') {
        if (waited) this.#show('starting', undefined);
        return waited;
      }
      this.#show('stopped', view.stopReason);
      await this.#parts.clock.sleep(STOPPED_LOOK_MS, signal);
    }
  }

  /** Runs it until it succeeds, with growing pauses; undefined when the signal was aborted. */
  async #persist<T>(signal: AbortSignal, what: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        signal.throwIfAborted();
        const result = await what();
        this.#failures = 0;
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#failures += 1;
        await this.#meet(error);
        await this.#parts.clock.sleep(this.#pauseMs(error), signal).catch(() => undefined);
      }
    }
  }

  async #meet(error: unknown): Promise<void> {
    if (error instanceof ChainContradicts) {
      this.#parts.log.error({ chainId: this.#boardKey, code: error.code, ...error.facts }, 'chain contradicts itself');
      this.#show('stopped', error.message);
      await this.#parts.chains.tell(this.#boardKey, { type: 'StopChain', code: error.code, reason: error.message }).catch(() => undefined);
      return;
    }
    // One odd moment is answered by asking again; only what lasts is a state.
    const own = !isNodeTrouble(error) && !(error instanceof NoProvider);
    if (error instanceof ChainfoldError && error.code === 'branch-moved') return;
    if (this.#failures === 1 && error instanceof ChainfoldError && error.code === 'node-lagging') return;
    const wrong = error instanceof ChainfoldError && error.code === 'wrong-chain';
    this.#show(wrong ? 'stopped' : 'stalled', reasonOf(error));
    if (own && this.#failures === 1) this.#parts.log.error({ chainId: this.#boardKey, error }, 'capture failed');
  }

  #pauseMs(error: unknown): number {
    const growing = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10));
    const wished = error instanceof NoProvider ? Math.min(error.waitMs, LONGEST_PAUSE_MS) : growing;
    return (wished * randomInt(750, 1250)) / 1000;
  }

  /** One log line per change of state. */
  #show(state: CaptureState, reason: string | undefined, nodeHead?: number): void {
    const change: Partial<CaptureStatus> = { state, reason, providers: this.#providers.summary(), ...(nodeHead === undefined ? {} : { nodeHead }) };
    this.#parts.board.update(this.#boardKey, change);
    if (this.#state === state && (state !== 'stopped' || this.#reason === reason)) return;
    const fields = { chainId: this.#boardKey, state, from: this.#state, reason };
    this.#state = state;
    this.#reason = reason;
    if (state === 'stopped') this.#parts.log.error(fields, 'capture state changed');
    else if (state === 'stalled') this.#parts.log.warn(fields, 'capture state changed');
    else this.#parts.log.info(fields, 'capture state changed');
  }
}

/** A header alone is soon made up: only a block that verifies as a whole says that a node has come further. */
async function holdsWhole(check: BlockCheck, node: ChainNode, hash: Hex, signal: AbortSignal): Promise<boolean> {
  const fetched = await node.blockByHash(hash, signal);
  if (fetched === null) return false;
  check.verified(fetched);
  return true;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** One sentence for an operator, with what the nodes said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ChainfoldError)) return error instanceof Error ? error.message : String(error);
  if (error instanceof NoProvider) {
    const said = Object.entries(error.reasons).map(([node, reason]) => `${node}: ${reason}`);
    return said.length > 0 ? said.join('; ') : error.message;
  }
  const details = detailsOf(error);
  return details === '' ? error.message : `${error.message} (${details})`;
}
