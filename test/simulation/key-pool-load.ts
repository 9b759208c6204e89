import type { Tariff } from '#contracts/key-pool';
import { ManualClock } from '#platform/testing';
import { ArithmeticDesk } from './key-pool-desk.ts';
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
  /** From the first minute on, every so often a holder dies or is stopped. */
  readonly disturbedEveryMs?: number;
}

/** Leases begin; not counted. */
export const BEGINNING_MS = 20_000;

/** 22 keys under as much load as there can be, on a clock of its own. */
export class KeyPoolLoad {
  readonly clock = new ManualClock();
  readonly referee: Referee;
  readonly desk: ArithmeticDesk;
  readonly keys: readonly { readonly alias: string; readonly tariff: Tariff; readonly shape: 'tumbling' | 'rolling' }[];
  readonly holders: Holder[] = [];
  /** Sent by someone who did not hold the key then. */
  readonly late: string[] = [];
  readonly lines: string[] = [];
  disturbances = 0;
  /** Units of `units` that nobody could spend, since who held them was gone: by provider. */
  readonly #gone: Record<string, number> = {};
  #before: ReadonlyMap<string, number> = new Map();
  readonly #load: Load;
  readonly #random: SeededRandom;

  constructor(load: Load) {
    this.#load = load;
    this.#random = new SeededRandom(load.seed);
    const { infura, alchemy } = load.tariffs ?? { infura: INFURA, alchemy: ALCHEMY };
    const named = (name: string, count: number, tariff: Tariff, shape: 'tumbling' | 'rolling') => Array.from({ length: count }, (_, at) => ({ alias: `${name}-${at + 1}`, tariff, shape }));
    this.keys = [...named('infura', 17, infura, 'tumbling'), ...named('alchemy', 5, alchemy, 'rolling')];
    this.referee = new Referee(this.keys, this.#random);
    this.desk = new ArithmeticDesk(this.clock, this.keys);
  }

  async run(): Promise<void> {
    const { holders, minutes, disturbedEveryMs } = this.#load;
    for (let at = 0; at < holders; at += 1) this.holders.push(this.#holder(`worker-${at + 1}`));
    await this.clock.advance(BEGINNING_MS);
    this.#before = new Map([...this.referee.keys].map(([alias, { units }]) => [alias, units]));
    const end = minutes * 60_000;
    if (disturbedEveryMs === undefined) {
      await this.clock.advance(end - BEGINNING_MS);
      return;
    }
    while (this.clock.monotonic() + disturbedEveryMs < end) {
      await this.clock.advance(disturbedEveryMs);
      this.#disturb();
    }
    await this.clock.advance(end - this.clock.monotonic());
  }

  /** Units that the provider counted since the beginning, by what whole calls of this cost allow in all its windows of that time; what dead holders held is not counted as allowed. */
  usedShare(provider: string, cost: number): number {
    const keys = this.keys.filter(({ tariff }) => tariff.provider === provider);
    const used = this.unitsByKey(provider).reduce((sum, units) => sum + units, 0);
    const measuredMs = this.clock.monotonic() - BEGINNING_MS;
    return used / (keys.length * measuredMs * allowedPerMs(keys[0]?.tariff as Tariff, cost) - (this.#gone[provider] ?? 0));
  }

  unitsByKey(provider: string): readonly number[] {
    const aliases = this.keys.filter(({ tariff }) => tariff.provider === provider).map(({ alias }) => alias);
    return aliases.map((alias) => (this.referee.keys.get(alias)?.units ?? 0) - (this.#before.get(alias) ?? 0));
  }

  #holder(name: string): Holder {
    const random = new SeededRandom(this.#random.between(0, 2 ** 31));
    const meter = (holder: string, key: string, cost: Parameters<Referee['take']>[1], sentAt: number): 'ok' | 'throttled' | 'exhausted' => {
      if (!this.desk.isHeld(holder, key, sentAt) && !this.desk.isHeld(holder, key, this.clock.monotonic())) this.late.push(`${holder} ${key} at ${sentAt}`);
      return this.referee.take(key, cost, this.clock.monotonic());
    };
    const way = ({ slackMs }: Tariff) => ({ toMeterMs: random.next() * slackMs, answerMs: 50 + random.next() * 350 });
    return new Holder(name, this.clock, this.desk, this.#load.demands ?? BLOCKS, { way, meter }, random);
  }

  #disturb(): void {
    this.disturbances += 1;
    const at = this.#random.between(0, this.holders.length - 1);
    const holder = this.holders[at] as Holder;
    for (const { key, until } of this.desk.leasesOf(holder.name)) this.#goes(key, until);
    if (this.#random.next() < 0.5) {
      holder.kill();
      this.lines.push(...holder.lines);
      const [name = ''] = holder.name.split('#');
      this.holders[at] = this.#holder(`${name}#${this.disturbances}`);
      return;
    }
    holder.clock.stop();
    // Past the end of all that it holds, and often past when others have it.
    void this.clock.sleep(this.#random.between(8_000, 25_000)).then(() => holder.clock.continue());
  }

  #goes(key: string, until: number): void {
    const { provider, limits, slackMs } = this.keys.find(({ alias }) => alias === key)?.tariff as Tariff;
    const windowMs = Math.max(...limits.map((limit) => (limit.kind === 'rolling' ? limit.windowMs : 0)));
    const parts = provider === 'alchemy' ? 2 : 1;
    this.#gone[provider] = (this.#gone[provider] ?? 0) + ((until + windowMs + slackMs - this.clock.monotonic()) * allowedPerMs(this.keys.find(({ alias }) => alias === key)?.tariff as Tariff, provider === 'infura' ? 80 : 20)) / parts;
  }
}

function allowedPerMs({ limits }: Tariff, cost: number): number {
  const [rate] = limits.flatMap((limit) => (limit.kind === 'rolling' ? [limit] : []));
  return rate === undefined ? Infinity : (Math.floor(rate.units / cost) * cost) / rate.windowMs;
}
