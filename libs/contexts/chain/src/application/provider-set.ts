import type { ChainfoldError, Clock } from '#platform/kernel';
import { NodeRefused } from '../ports/chain-node.errors.ts';
import type { RpcHeader } from '../domain/rpc-types.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { CaptureLog, CaptureMetrics } from './capture-log.ts';
import { NodeLagging, NoProvider, NodeStandsStill, WrongChain, detailsOf, isNodeTrouble } from './capture.errors.ts';

interface Provider {
  readonly node: ChainNode;
  state: 'unproved' | 'well' | 'unwell';
  failures: number;
  /** On the monotonic clock: not asked before, and then proved first. */
  until: number;
  reason: string | undefined;
  /** Of the trouble it was left for. */
  code: string | undefined;
  /** Its trouble came after it was proved well: only a good answer ends it. */
  suspect: boolean;
  /** The trouble that was logged last, and when: the same again is no news for a while, though a good answer came between. */
  said: { readonly what: string; readonly at: number } | undefined;
  /** Its being well again is news. */
  missed: boolean;
  /** A block that it must have before it is well again. */
  lacks: number | undefined;
  proving: Promise<void> | undefined;
}

export interface ProviderSetOptions {
  /** In order of preference. */
  readonly nodes: readonly ChainNode[];
  /** Decimal; undefined: the first provider that answers says it. */
  readonly chainId: string | undefined;
  readonly clock: Clock;
  readonly log: CaptureLog;
  readonly metrics: CaptureMetrics;
  /** What a node costs at present, lower first; Infinity: it can not serve now. Asked on each choice. Left out: the order of the nodes. */
  readonly preference?: ((node: ChainNode) => number) | undefined;
}

/**
 * The providers of one chain. One is pinned: the first in order (the preferred one, where there is a preference) that is well. A provider that fails is left for a
 * growing while, then proved again and pinned again, so a fall-back never stays. Each proves its chain id first.
 */
export class ProviderSet {
  readonly #providers: readonly Provider[];
  readonly #options: ProviderSetOptions;
  #chainId: string | undefined;
  #pinned: Provider | undefined;
  #closed = false;

  constructor(options: ProviderSetOptions) {
    this.#options = options;
    this.#chainId = options.chainId;
    this.#providers = options.nodes.map((node) => ({ node, state: 'unproved', failures: 0, until: 0, reason: undefined, code: undefined, suspect: false, said: undefined, missed: false, lacks: undefined, proving: undefined }));
  }

  /**
   * Asks the pinned provider, and the others in turn while it fails by trouble of nodes. All of `what` goes to one
   * provider. Throws the last trouble, or `no-provider` when none may be asked now; where one was only late, that: it is
   * well, and worth asking again.
   */
  async use<T>(what: (node: ChainNode) => Promise<T>): Promise<T> {
    const tried = new Set<Provider>();
    let trouble: ChainfoldError | undefined;
    let late: ChainfoldError | undefined;
    for (;;) {
      const provider = this.#closed ? undefined : await this.#choose(tried);
      if (provider === undefined) throw late ?? trouble ?? this.#none();
      tried.add(provider);
      try {
        const result = await what(provider.node);
        provider.failures = 0;
        if (provider.suspect) this.#isBack(provider);
        return result;
      } catch (error) {
        if (!isNodeTrouble(error)) throw error;
        trouble = error;
        if (error instanceof NodeLagging) late = error;
        if (ONLY_THIS_REQUEST.has(error.code)) continue;
        provider.suspect = true;
        this.#punish(provider, error);
      }
    }
  }

  /** Asks every provider that can be asked now; one in trouble is passed over. */
  async all<T>(what: (node: ChainNode) => Promise<T>): Promise<readonly T[]> {
    const due = this.#providers.filter((one) => one.state !== 'well' && this.#now() >= one.until);
    await Promise.all(due.map((one) => this.#prove(one)));
    const well = this.#providers.filter(({ state }) => state === 'well');
    const answers = await Promise.all(well.map(({ node }) => what(node).then((value) => ({ value }), passedOver)));
    return answers.flatMap((answer) => (answer === undefined ? [] : [answer.value]));
  }

  /** Asks the others one after the other, also those that were left for a lie: whether they tell the same is the question. */
  async *elsewhere<T>(than: ChainNode, what: (node: ChainNode) => Promise<T>): AsyncGenerator<{ readonly label: string; readonly answer: T }> {
    for (const provider of this.#providers) {
      const { node } = provider;
      if (node === than) continue;
      if (provider.state !== 'well' && this.#now() >= provider.until) await this.#prove(provider);
      if (provider.state !== 'well' && provider.code !== 'block-mismatch') continue;
      const got = await what(node).then((answer) => ({ label: node.label, answer }), passedOver);
      if (got !== undefined) yield got;
    }
  }

  /**
   * Leaves the pinned provider where another one has this block, whole and sound by `holds`: what the chain waits for is
   * there then. Not where the pinned one has it too and says so; while it has not, it is asked last.
   */
  async leaveIfStill(number: number, holds: (node: ChainNode, header: RpcHeader) => Promise<boolean>): Promise<void> {
    const pinned = this.#pinned;
    if (pinned?.state !== 'well') return;
    const sound = async (node: ChainNode): Promise<RpcHeader | null> => {
      const header = await node.header(number);
      return header !== null && (await holds(node, header)) ? header : null;
    };
    for await (const { answer } of this.elsewhere(pinned.node, sound)) {
      if (answer === null) continue;
      const [own, latest] = await Promise.all([pinned.node.header(number).catch(passedOver), pinned.node.header('latest').catch(passedOver)]);
      const hasIt = own?.hash === answer.hash;
      if (hasIt && latest && (latest.hash === own.hash || Number(latest.number) > number)) return;
      pinned.lacks = hasIt ? undefined : number;
      this.#punish(pinned, new NodeStandsStill(pinned.node.label, number));
      return;
    }
  }

  /** The chain id that the providers proved; proves one when none has. */
  async chainId(): Promise<string> {
    await this.use(async () => undefined);
    return this.#chainId as string;
  }

  /** The provider whose announcements are listened to: one that is well and pushes. */
  announcer(): ChainNode | undefined {
    const { preference } = this.#options;
    return this.#providers.find(({ node, state }) => node.pushes && state === 'well' && (preference === undefined || Number.isFinite(preference(node))))?.node;
  }

  get canPush(): boolean {
    return this.#providers.some(({ node }) => node.pushes);
  }

  /** All but this one; undefined while one of them can not be asked. */
  others(node: ChainNode): readonly ChainNode[] | undefined {
    const others = this.#providers.filter((one) => one.node !== node);
    return others.every(({ state }) => state === 'well') ? others.map((one) => one.node) : undefined;
  }

  get several(): boolean {
    return this.#providers.length > 1;
  }

  /** For the status board: the one in use first. */
  summary(): readonly { readonly label: string; readonly healthy: boolean; readonly reason?: string }[] {
    const pinnedFirst = [...this.#providers].sort((a, b) => Number(b === this.#pinned) - Number(a === this.#pinned));
    return pinnedFirst.map(({ node, state, reason }) => ({ label: node.label, healthy: state === 'well', ...(reason === undefined ? {} : { reason }) }));
  }

  /** What is asked now fails at once, as does all that is asked later: nobody waits for a node that is mute. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#providers.map(({ node }) => node.close()));
  }

  async #choose(tried: ReadonlySet<Provider>): Promise<Provider | undefined> {
    const ranked = this.#ranked();
    const due = ranked.filter((one) => one.state !== 'well' && !tried.has(one) && this.#now() >= one.until);
    const proofs = due.map((one) => this.#prove(one));
    if (!ranked.some((one) => one.state === 'well' && !tried.has(one))) {
      for (const [place, proof] of proofs.entries()) {
        await proof;
        if (due[place]?.state === 'well') break;
      }
    }
    const chosen = ranked.find((one) => one.state === 'well' && !tried.has(one));
    // Better than nobody: it is on this chain, and what it has of it is as true as ever.
    if (chosen === undefined) return this.#providers.find((one) => one.code === 'node-stands-still' && !tried.has(one));
    // One that is well but could not serve this one request keeps its place, unless it can serve none now.
    if (chosen !== this.#pinned && (tried.size === 0 || this.#pinned?.state !== 'well' || !ranked.includes(this.#pinned))) this.#pin(chosen);
    return chosen;
  }

  /** Those that can serve now. Among equals the pinned one comes first: a change must be worth something. */
  #ranked(): readonly Provider[] {
    const { preference } = this.#options;
    if (preference === undefined) return this.#providers;
    const ranks = this.#providers.map((one) => ({ one, rank: preference(one.node) })).filter(({ rank }) => Number.isFinite(rank));
    return ranks.toSorted((a, b) => a.rank - b.rank || Number(b.one === this.#pinned) - Number(a.one === this.#pinned)).map(({ one }) => one);
  }

  #prove(provider: Provider): Promise<void> {
    provider.proving ??= this.#proof(provider).finally(() => (provider.proving = undefined));
    return provider.proving;
  }

  async #proof(provider: Provider): Promise<void> {
    const returning = provider.state === 'unwell';
    try {
      const told = (await provider.node.chainId()).toString();
      this.#chainId ??= told;
      if (told !== this.#chainId) throw new WrongChain(provider.node.label, this.#chainId, told);
      if (provider.lacks !== undefined && (await provider.node.header(provider.lacks)) === null) throw new NodeStandsStill(provider.node.label, provider.lacks);
      provider.lacks = undefined;
      provider.state = 'well';
      provider.reason = undefined;
      provider.code = undefined;
      if (returning && !provider.suspect) this.#isBack(provider);
    } catch (error) {
      if (!isNodeTrouble(error)) throw error;
      this.#punish(provider, error);
    }
  }

  #isBack(provider: Provider): void {
    provider.suspect = false;
    if (!provider.missed) return;
    provider.missed = false;
    this.#options.log.info({ chainId: this.#chainId, node: provider.node.label }, 'provider is back');
  }

  #pin(provider: Provider): void {
    const before = this.#pinned;
    this.#pinned = provider;
    this.#options.metrics.providerChanged(this.#chainId ?? '', provider.node.label);
    if (before === undefined) return;
    this.#options.log.info({ chainId: this.#chainId, from: before.node.label, to: provider.node.label, why: before.reason }, 'provider changed');
  }

  #punish(provider: Provider, error: ChainfoldError): void {
    if (this.#closed) return;
    const wasUnwell = provider.state === 'unwell';
    provider.failures += 1;
    provider.state = 'unwell';
    provider.reason = reasonOf(error);
    provider.code = error.code;
    provider.until = this.#now() + pauseMs(error, provider.failures);
    if (wasUnwell) return;
    // A lie about another block is another one.
    const what = JSON.stringify([error.code, detailsOf(error), error.facts['number']]);
    if (provider.said?.what === what && this.#now() - provider.said.at < SAID_AGAIN_MS) return;
    provider.said = { what, at: this.#now() };
    provider.missed = true;
    const { level, says } = penaltyFor(error);
    this.#options.log[level]({ chainId: this.#chainId, node: provider.node.label, code: error.code, ...error.facts }, says);
  }

  #none(): NoProvider {
    const ranked = this.#ranked();
    const soonest = Math.min(...this.#providers.map((one) => (ranked.includes(one) ? one.until : this.#now() + SERVES_AGAIN_MS)));
    const reasons = Object.fromEntries(this.#providers.map((one) => [one.node.label, one.reason ?? (ranked.includes(one) ? 'not proved yet' : 'can not serve now')]));
    return new NoProvider(Math.max(50, Math.ceil(soonest - this.#now())), reasons);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

function passedOver(error: unknown): undefined {
  if (!isNodeTrouble(error)) throw error;
}

/** A provider with such trouble is well for everything else: it keeps its place, and this request goes elsewhere. */
const ONLY_THIS_REQUEST: ReadonlySet<string> = new Set(['history-pruned', 'method-unsupported', 'node-lagging']);

/** When one that can not serve now is looked at again, where there is no other. */
const SERVES_AGAIN_MS = 1_000;

/** A node that answers one thing well and another ill, again and again, is not told of each time. */
const SAID_AGAIN_MS = 600_000;

interface Penalty {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly level: 'warn' | 'error';
  readonly says: string;
}
const USUAL: Penalty = { firstPauseMs: 250, longestPauseMs: 10_000, level: 'warn', says: 'provider is unwell' };
const PENALTIES: Readonly<Record<string, Penalty>> = {
  'block-mismatch': { firstPauseMs: 30_000, longestPauseMs: 3_600_000, level: 'error', says: 'verification failed' },
  'node-stands-still': { ...USUAL, firstPauseMs: 30_000, longestPauseMs: 300_000 },
  'wrong-chain': { ...USUAL, firstPauseMs: 10_000, longestPauseMs: 300_000 },
};

function penaltyFor({ code }: ChainfoldError): Penalty {
  return PENALTIES[code] ?? USUAL;
}

/** A provider's own wish is obeyed; otherwise doubling from a quarter of a second, at most ten. */
function pauseMs(error: ChainfoldError, failures: number): number {
  if (error instanceof NodeRefused) {
    if (error.waitMs !== undefined) return error.waitMs;
    if (error.meaning === 'exhausted' || error.meaning === 'revoked') return 600_000;
  }
  const { firstPauseMs, longestPauseMs } = penaltyFor(error);
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 20));
}

function reasonOf(error: ChainfoldError): string {
  const details = detailsOf(error);
  return details === '' ? error.message : `${error.message}: ${details}`;
}
