import type { Cost, Tariff } from '#contracts/key-pool';
import { ManualClock } from '#platform/testing';
import { WatchedDesk } from './key-pool-desk.ts';
import { type Demand, Holder } from './key-pool-holder.ts';
import { Referee } from './key-pool-referee.ts';
import { SeededRandom } from './seeded-random.ts';

const SLACK_MS = 40;
const PUSH = { each: 0, perByte: 0 };

export const INFURA: Tariff = {
  provider: 'infura',
  title: 'Infura',
  unit: 'credits',
  ledgers: { units: { default: 80, methods: { eth_getLogs: 255 }, batch: 1, push: PUSH } },
  limits: [
    { kind: 'rolling', name: 'second', ledger: 'units', windowMs: 1_000, units: 500 },
    { kind: 'calendar', name: 'day', ledger: 'units', period: 'day', units: 3_000_000 },
  ],
  mostCallsPerRequest: 1,
  unsupported: [],
  slackMs: SLACK_MS,
};

export const ALCHEMY: Tariff = {
  provider: 'alchemy',
  title: 'Alchemy',
  unit: 'CU',
  ledgers: { units: { default: 20, methods: { eth_getLogs: 60 }, batch: 0, push: PUSH }, throughput: { default: 20, methods: { eth_getBlockReceipts: 500 }, batch: 0, push: PUSH } },
  limits: [
    { kind: 'rolling', name: 'ten seconds', ledger: 'throughput', windowMs: 10_000, units: 5_000 },
    { kind: 'calendar', name: 'month', ledger: 'units', period: 'month', units: 30_000_000 },
  ],
  mostCallsPerRequest: 1,
  unsupported: [],
  slackMs: SLACK_MS,
};

const BLOCKS: readonly Demand[] = [
  { tariff: INFURA, calls: ['eth_getBlockByNumber'], costs: [{ units: 80 }], requests: 16 },
  { tariff: ALCHEMY, calls: ['eth_getBlockByNumber'], costs: [{ units: 20, throughput: 20 }], requests: 16 },
];
export const MIXED: readonly Demand[] = [
  { tariff: INFURA, calls: ['eth_getBlockByNumber', 'eth_getBlockByNumber', 'eth_getLogs'], costs: [{ units: 80 }, { units: 80 }, { units: 255 }], requests: 16 },
  {
    tariff: ALCHEMY,
    calls: ['eth_getBlockReceipts', 'eth_getBlockByNumber', 'eth_getLogs'],
    costs: [
      { units: 20, throughput: 500 },
      { units: 20, throughput: 20 },
      { units: 60, throughput: 60 },
    ],
    requests: 16,
  },
];

export interface Load {
  readonly seed: number;
  readonly minutes: number;
  readonly holders: number;
  readonly demands?: readonly Demand[];
  /** Instead of the usual. */
  readonly tariffs?: { readonly infura: Tariff; readonly alchemy: Tariff };
  /** Every so often a holder dies or is stopped. */
  readonly disturbedEveryMs?: number;
}

/** Leases begin; not counted. */
const BEGINNING_MS = 20_000;

/** 22 keys under as much load as there can be, on a clock of its own. */
export class KeyPoolLoad {
  readonly clock = new ManualClock();
  readonly referee: Referee;
  readonly desk: WatchedDesk;
  readonly keys: readonly { readonly alias: string; readonly tariff: Tariff; readonly shape: 'tumbling' | 'rolling' }[];
  readonly holders: Holder[] = [];
  /** Sent by someone who did not hold the key then. */
  readonly late: string[] = [];
  readonly lines: string[] = [];
  disturbances = 0;
  /** Leases of those that died or were stopped, at that moment. */
  leasesAtStake = 0;
  #before: ReadonlyMap<string, number> = new Map();
  #after: ReadonlyMap<string, number> = new Map();
  #endedAt = 0;
  readonly #load: Load;
  readonly #random: SeededRandom;

  constructor(load: Load) {
    this.#load = load;
    this.#random = new SeededRandom(load.seed);
    const { infura, alchemy } = load.tariffs ?? { infura: INFURA, alchemy: ALCHEMY };
    const named = (name: string, count: number, tariff: Tariff, shape: 'tumbling' | 'rolling') => Array.from({ length: count }, (_, at) => ({ alias: `${name}-${at + 1}`, tariff, shape }));
    this.keys = [...named('infura', 17, infura, 'tumbling'), ...named('alchemy', 5, alchemy, 'rolling')];
    this.referee = new Referee(this.keys, this.#random);
    this.desk = new WatchedDesk(this.clock, this.keys);
  }

  async run(): Promise<void> {
    const { holders, minutes, disturbedEveryMs = Infinity } = this.#load;
    for (let at = 0; at < holders; at += 1) this.holders.push(this.#holder(`worker-${at + 1}`));
    await this.clock.advance(BEGINNING_MS);
    this.#before = this.#counted();
    const end = minutes * 60_000;
    while (this.clock.monotonic() + disturbedEveryMs < end) {
      await this.clock.advance(disturbedEveryMs);
      this.#disturb();
    }
    await this.clock.advance(end - this.clock.monotonic());
    this.#after = this.#counted();
    this.#endedAt = end;
  }

  /** Everybody ends in order: what is under way is answered, everything is settled. */
  async close(): Promise<void> {
    const closed = Promise.all(this.holders.map((holder) => holder.close()));
    await this.clock.advance(10_000);
    await closed;
  }

  /**
   * What the provider counted on all its keys since the beginning, by what whole calls of this cost allow there in that time:
   * keys * floor(limit / cost) * cost * time / window. A limit of 500 takes 6 calls of 80, so 480 are allowed in a second.
   */
  usedShare(provider: string, cost: number): number {
    const units = this.unitsByKey(provider);
    const { limits } = this.keys.find(({ tariff }) => tariff.provider === provider)?.tariff as Tariff;
    const [rate] = limits.flatMap((limit) => (limit.kind === 'rolling' ? [limit] : []));
    const windows = (this.#endedAt - BEGINNING_MS) / (rate?.windowMs ?? 0);
    return units.reduce((sum, one) => sum + one, 0) / (units.length * Math.floor((rate?.units ?? 0) / cost) * cost * windows);
  }

  /** Since the beginning. */
  unitsByKey(provider: string): readonly number[] {
    return this.keys.filter(({ tariff }) => tariff.provider === provider).map(({ alias }) => (this.#after.get(alias) ?? 0) - (this.#before.get(alias) ?? 0));
  }

  get headWaits(): readonly number[] {
    return this.holders.flatMap(({ headWaits }) => headWaits);
  }

  #counted(): ReadonlyMap<string, number> {
    return new Map([...this.referee.keys].map(([alias, { units }]) => [alias, units]));
  }

  #holder(name: string): Holder {
    const random = new SeededRandom(this.#random.between(0, 2 ** 31));
    const meter = (holder: string, key: string, cost: Cost, sentAt: number): 'ok' | 'throttled' | 'exhausted' => {
      if (!this.desk.isHeld(holder, key, sentAt)) this.late.push(`${holder} ${key} at ${sentAt.toFixed(1)} ms`);
      return this.referee.take(key, cost, this.clock.monotonic());
    };
    const way = ({ slackMs }: Tariff) => ({ unsentMs: random.next(), toMeterMs: random.next() * slackMs, answerMs: 50 + random.next() * 350 });
    return new Holder(name, this.clock, this.desk, this.#load.demands ?? BLOCKS, { way, meter }, random);
  }

  #disturb(): void {
    this.disturbances += 1;
    const at = this.#random.between(0, this.holders.length - 1);
    const holder = this.holders[at] as Holder;
    this.leasesAtStake += this.desk.leasesOf(holder.name);
    if (this.#random.next() < 0.5) {
      holder.kill();
      this.lines.push(...holder.lines);
      const [name = ''] = holder.name.split('#');
      this.holders[at] = this.#holder(`${name}#${this.disturbances}`);
      return;
    }
    holder.stop();
    // Past the end of all that it holds, and often past when others have it.
    void this.clock.sleep(this.#random.between(8_000, 25_000)).then(() => holder.clock.continue());
  }
}
