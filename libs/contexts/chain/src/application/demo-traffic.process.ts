import { getCreateAddress } from 'ethers';
import type { Clock, JsonValue } from '#platform/kernel';
import type { Hex } from '../domain/rpc-types.ts';
import type { EmbeddedNode, EmbeddedNodeLog, RpcCall, RpcOutcome } from '../ports/embedded-node.port.ts';
import { addressOf, demoAccounts, type DemoAccounts } from './demo/demo-accounts.ts';
import { contractOfCode } from './demo/demo-contracts.ts';
import { pauseMs, planBlock, type DemoTransaction, type DemoWorld } from './demo/demo-transactions.ts';
import { SeededRandom } from './demo/seeded-random.ts';

export interface DemoTrafficOptions {
  readonly mnemonic: string;
  readonly accounts: number;
  readonly chainId: bigint;
  /** Any whole number: the same seed plans the same blocks. */
  readonly seed: number;
  /** Seconds from one reorg to the next, on average; 0 for none. */
  readonly reorgEverySeconds: number;
  /** Multiplies the pause between blocks (0.5 to 4 s); below 1 for tests. */
  readonly pace?: number;
}

/** A reorg is at most so deep: far above the finalized block, which is 32 below the head. */
const DEEPEST_REORG = 3;
/** Tokens and counters that traffic remembers; older ones are left alone. */
const REMEMBERED = 12;
const RETRY_MS = 1_000;

/**
 * Keeps the embedded node's chain alive: block after block of varied transactions, at an uneven pace, with a small
 * reorg now and then. The node alone knows nonces, code and head, so whatever it forgets or takes back, traffic
 * reads them again and goes on.
 */
export class DemoTrafficProcess {
  readonly #node: EmbeddedNode;
  readonly #options: DemoTrafficOptions;
  readonly #log: EmbeddedNodeLog;
  readonly #clock: Clock;
  readonly #accounts: DemoAccounts;
  #stopping: AbortController | undefined;
  #running: Promise<void> | undefined;
  #world: World | undefined;
  /** Asked for, done or not; part of the seed, so that the same heights then see other traffic. */
  #reorgs = 0;
  #lastReorgHead = 0;

  constructor(node: EmbeddedNode, options: DemoTrafficOptions, log: EmbeddedNodeLog, clock: Clock) {
    this.#node = node;
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
    this.#accounts = demoAccounts(options.mnemonic, options.accounts);
  }

  start(): void {
    if (this.#running !== undefined) return;
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Resolves when no request is on its way any more. */
  async stop(): Promise<void> {
    this.#stopping?.abort(new Error('demo traffic is being stopped'));
    await this.#running;
    this.#running = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pause = RETRY_MS;
      try {
        pause = await this.#nextBlock();
      } catch (error) {
        this.#world = undefined;
        this.#log.debug({ err: error }, 'demo traffic waits for the embedded node');
      }
      await this.#clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** Answers the pause until the next one, in ms. */
  async #nextBlock(): Promise<number> {
    const world = await this.#readWorld();
    const number = world.head + 1;
    const random = SeededRandom.ofBlock(this.#options.seed + this.#reorgs, number);
    const pause = pauseMs(random) * (this.#options.pace ?? 1);
    if (this.#reorgIsDue(random, pause, world)) {
      await this.#reorganize(random, world);
      return pause;
    }
    const sent = await this.#request(planBlock(random, world).map(sendCall));
    const refused = sent.filter((outcome) => !outcome.ok);
    await this.#mine(world);
    if (refused.length > 0) this.#log.warn({ block: number, refused: refused.map((outcome) => (outcome.ok ? '' : outcome.message)) }, 'demo transactions refused');
    const block = (await this.#one('eth_getBlockByNumber', ['latest', false])) as { number: Hex; transactions: Hex[] };
    // Somebody else moved the chain (a test's own reorg, a rollback): nonces are not what we thought.
    const surprised = Number(block.number) !== number || block.transactions.length !== sent.length;
    world.head = number;
    if (surprised || world.mayHaveDeployed) this.#world = undefined;
    return pause;
  }

  /** Real time on the chain, though blocks may come twice in a second and timestamps must rise. */
  async #mine(world: World): Promise<void> {
    world.timestamp = Math.max(Math.floor(this.#clock.now() / 1_000), world.timestamp + 1);
    const [mined] = await this.#request([{ method: 'evm_mine', params: [quantity(world.timestamp)] }]);
    if (mined?.ok !== true) throw new Error(mined?.message ?? 'not mined');
  }

  #reorgIsDue(random: SeededRandom, pause: number, world: World): boolean {
    const every = this.#options.reorgEverySeconds * 1_000;
    // The node holds states only of blocks that it mined itself since it came up.
    const minedHere = world.head - world.incarnationHead;
    const sinceLast = world.head - this.#lastReorgHead;
    return every > 0 && Math.min(minedHere, sinceLast) > DEEPEST_REORG + 1 && random.chance(Math.min(1, pause / every));
  }

  /** The transactions of the lowest dropped block come again one block later, the others are lost. */
  async #reorganize(random: SeededRandom, world: World): Promise<void> {
    this.#reorgs += 1;
    this.#lastReorgHead = world.head;
    const depth = random.weighted([[6, 1], [3, 2], [1, DEEPEST_REORG]] as const);
    const [block] = await this.#request([{ method: 'eth_getBlockByNumber', params: [quantity(world.head - depth + 1), false] }]);
    const hashes = block?.ok === true ? (block.result as { transactions: Hex[] }).transactions : [];
    const raw = await this.#request(hashes.map((hash) => ({ method: 'eth_getRawTransactionByHash', params: [hash] })));
    // Blob transactions stay out: without their sidecar the node takes them for incomplete.
    const again = raw.flatMap((outcome) => (outcome.ok && typeof outcome.result === 'string' && !outcome.result.startsWith('0x03') ? [outcome.result] : []));
    const params: JsonValue[] = [depth, again.map((transaction) => [transaction, depth - 1])];
    const [outcome] = await this.#request([{ method: 'anvil_reorg', params }]);
    this.#world = undefined;
    if (outcome?.ok === true) this.#log.info({ depth, head: world.head }, 'demo reorg');
    else this.#log.warn({ depth, message: outcome?.message ?? '' }, 'demo reorg refused');
  }

  /** Kept as long as nothing happened that only the node can tell. */
  async #readWorld(): Promise<World> {
    if (this.#world !== undefined && this.#world.incarnation === this.#node.incarnation) return this.#world;
    const before = this.#world?.incarnation === this.#node.incarnation ? this.#world : undefined;
    const incarnation = this.#node.incarnation;
    // What a reorg dropped, or what waits behind a refused nonce, would come in between.
    await this.#request([{ method: 'anvil_dropAllTransactions', params: [] }]);
    const head = await this.#one('eth_getBlockByNumber', ['latest', false]) as { number: Hex; timestamp: Hex };
    const addresses = this.#accounts.all.map(addressOf);
    const nonces = await this.#all(addresses.map((address) => ({ method: 'eth_getTransactionCount', params: [address, 'latest'] })));
    const number = Number(head.number);
    if (this.#incarnation !== incarnation) {
      this.#incarnation = incarnation;
      this.#incarnationHead = number;
    }
    const world = new World(this.#options.chainId, this.#accounts, new Map(addresses.map((address, index) => [address, Number(nonces[index])])), {
      head: number,
      timestamp: Math.max(Number(head.timestamp), before?.timestamp ?? 0),
      incarnation,
      incarnationHead: this.#incarnationHead,
    });
    await this.#findContracts(world);
    this.#world = world;
    return world;
  }

  #incarnation = 0;
  #incarnationHead = 0;

  /** The founder's contracts stand at addresses that follow from its nonce. */
  async #findContracts(world: World): Promise<void> {
    const founder = addressOf(this.#accounts.founder);
    const nonce = world.nonceOf(founder);
    const first = Math.max(0, nonce - REMEMBERED);
    const nonces = [...new Set([0, 1, ...Array.from({ length: nonce - first }, (_unused, index) => first + index)])].filter((used) => used < nonce);
    const addresses = nonces.map((used) => getCreateAddress({ from: founder, nonce: used }).toLowerCase() as Hex);
    const codes = await this.#all(addresses.map((address) => ({ method: 'eth_getCode', params: [address, 'latest'] })));
    addresses.forEach((address, index) => {
      const contract = contractOfCode(codes[index] as string);
      if (contract === 'token') world.tokens.push(address);
      if (contract === 'counter') world.counters.push(address);
    });
  }

  async #request(calls: readonly RpcCall[]): Promise<readonly RpcOutcome[]> {
    return calls.length === 0 ? [] : this.#node.request(calls);
  }

  async #all(calls: readonly RpcCall[]): Promise<readonly unknown[]> {
    return (await this.#request(calls)).map((outcome) => {
      if (!outcome.ok) throw new Error(outcome.message);
      return outcome.result;
    });
  }

  async #one(method: string, params: readonly JsonValue[]): Promise<unknown> {
    return (await this.#all([{ method, params }]))[0];
  }
}

class World implements DemoWorld {
  readonly chainId: bigint;
  readonly accounts: DemoAccounts;
  readonly tokens: Hex[] = [];
  readonly counters: Hex[] = [];
  readonly incarnation: number;
  /** Head when this incarnation of the node was first seen. */
  readonly incarnationHead: number;
  head: number;
  timestamp: number;
  readonly #nonces: Map<Hex, number>;
  readonly #founder: Hex;
  readonly #founderNonce: number;

  constructor(
    chainId: bigint,
    accounts: DemoAccounts,
    nonces: Map<Hex, number>,
    at: { head: number; timestamp: number; incarnation: number; incarnationHead: number },
  ) {
    this.chainId = chainId;
    this.accounts = accounts;
    this.#nonces = nonces;
    this.#founder = addressOf(accounts.founder);
    this.#founderNonce = this.nonceOf(this.#founder);
    this.head = at.head;
    this.timestamp = at.timestamp;
    this.incarnation = at.incarnation;
    this.incarnationHead = at.incarnationHead;
  }

  get mayHaveDeployed(): boolean {
    return this.nonceOf(this.#founder) !== this.#founderNonce;
  }

  nonceOf(address: Hex): number {
    return this.#nonces.get(address) ?? 0;
  }

  takeNonce(address: Hex): number {
    const nonce = this.nonceOf(address);
    this.#nonces.set(address, nonce + 1);
    return nonce;
  }
}

function sendCall(transaction: DemoTransaction): RpcCall {
  return 'signed' in transaction
    ? { method: 'eth_sendRawTransaction', params: [transaction.signed] }
    : { method: 'eth_sendTransaction', params: [transaction.unsigned] };
}

function quantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}
