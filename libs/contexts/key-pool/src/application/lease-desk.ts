import { randomUUID } from 'node:crypto';
import { type Clock, messageOf, unreachable } from '#platform/kernel';
import type { Told } from '#platform/actors';
import type { Exchange, ExchangeAnswer, Lease, LeaseDesk, Tariff } from '../contracts/index.ts';
import type { ApiKeyCommand } from '../domain/api-key.commands.ts';
import type { ApiKeyEvent } from '../domain/api-key.events.ts';
import { calendarLimits, type RegisteredApiKey } from '../domain/api-key-state.ts';
import type { ApiKeyActors } from './api-key-actors.ts';
import { leastShares, mostShares } from '../domain/tariff.ts';
import { HolderShares } from './holder-shares.ts';
import { KeyClosings } from './key-closings.ts';
import type { PurseLog } from './purse-log.ts';

export interface DeskKey {
  readonly alias: string;
  readonly provider: string;
  readonly fingerprints: readonly string[];
}

export interface LeaseDeskOptions {
  readonly actors: Pick<ApiKeyActors, 'tell' | 'peek'>;
  readonly keys: readonly DeskKey[];
  readonly tariffs: ReadonlyMap<string, Tariff>;
  readonly clock: Clock;
  readonly log: PurseLog;
}

/** Long enough that a key takes an event every few seconds, short enough that little is lost with a holder. */
const LEASE_MS = 10_000;
const AGAIN_MS = 1_000;
/** Who has few gets as many more at once, and again so soon: of several that begin together the first would have them all. */
const NEXT_STEP_MS = 100;
/** For whom there is no part: longer than anybody waits in a purse, so that what it was given to do is done elsewhere. */
const CROWDED_MS = 60_000;
const CROWD_TOLD_EVERY_MS = 3_600_000;

/** Books budgets in the log and hands them out. Nothing is handed out before it is durable; the revision of a key's stream is the fence between two desks. */
export class BookingLeaseDesk implements LeaseDesk {
  readonly #options: LeaseDeskOptions;
  readonly #shares = new Map<string, HolderShares>();
  readonly #closings = new KeyClosings();
  /** By provider, when it was told last that some are left out. */
  readonly #crowdTold = new Map<string, number>();
  #own: string | undefined;

  constructor(options: LeaseDeskOptions) {
    this.#options = options;
  }

  /**
   * Before the first exchange. `ended`: what the names of holders begin with that ended with their process (they lived in the
   * one that held this data directory before); `but`: the one that lives now.
   */
  async open(ended: string, but: string): Promise<void> {
    const { actors, keys, tariffs } = this.#options;
    this.#own = but;
    await Promise.all(
      keys.map(async ({ alias, provider, fingerprints }) => {
        const { limits, slackMs } = tariffs.get(provider) as Tariff;
        await Promise.all([
          actors.tell(alias, { type: 'RegisterKey', alias, provider, fingerprints, limits, slackMs }),
          actors.tell(alias, { type: 'LoseLeases', holders: ended, but }),
        ]);
      }),
    );
  }

  /** A key that was revoked is tried again; of any other nothing happens. */
  async reopen(alias: string): Promise<void> {
    const key = this.#options.keys.find((known) => known.alias === alias);
    if (key === undefined) return;
    const { actors, clock } = this.#options;
    const told = await actors.tell(alias, { type: 'ReopenKey' });
    if (eventsOf(told).length > 0) this.#closings.reopened(alias, clock.now());
    this.#logRestored(told, alias, key.provider);
  }

  async exchange({ holder, provider, settlements, sightings, wanted }: Exchange): Promise<ExchangeAnswer> {
    const now = this.#options.clock.now();
    const keys = this.#keysOf(provider);
    const suspected = await this.#see(sightings, keys, provider, now);
    const shares = this.#sharesOf(provider);
    shares.note(holder, wanted.renew.length, wanted.more > 0, now);
    const states = await this.#states(keys);
    const open = [...states].filter(([, key]) => !isClosed(key, now)).map(([alias]) => alias);
    const parts = shares.parts(open.length);
    const renewed = wanted.renew.slice(0, shares.most(holder, open.length).kept);
    const leases = await this.#settleAndRenew({ holder, provider, settlements, renewed, parts });
    shares.note(holder, leases.length, wanted.more > 0, now);
    const { had } = shares.most(holder, open.length);
    const due = Math.min(wanted.more, had - leases.length);
    const more = Math.min(due, Math.max(1, leases.length));
    leases.push(...(await this.#leaseMore({ holder, provider, open, more, parts, had: new Set(leases.map(({ key }) => key)) })));
    shares.note(holder, leases.length, wanted.more > 0, now);
    const isLeftOut = had === 0 && wanted.more > 0 && shares.isCrowded(open.length);
    if (isLeftOut) this.#logCrowded(provider, open.length, now);
    return { leases, againInMs: isLeftOut ? CROWDED_MS : more < due ? NEXT_STEP_MS : AGAIN_MS, keys: keys.length, closed: [...(await this.#closed(keys, now)), ...suspected] };
  }

  /** What becomes of settlements and renewals of one key stands in one append. */
  async #settleAndRenew({ holder, provider, settlements, renewed, parts }: { readonly holder: string; readonly provider: string; readonly settlements: Exchange['settlements']; readonly renewed: readonly string[]; readonly parts: number }): Promise<Lease[]> {
    const { actors } = this.#options;
    const told = settlements.filter(({ lease }) => this.#isOf(provider, lease)).map(({ key: _, ...settlement }) => actors.tell(keyOf(settlement.lease), { type: 'SettleBudget', settlement }));
    const renewals = renewed.filter((lease) => this.#isOf(provider, lease)).map((lease) => this.#lease({ type: 'LeaseBudget', lease, holder, forMs: LEASE_MS, parts, least: this.#leastOf(provider) }, provider));
    const [tried] = await Promise.all([Promise.allSettled(renewals), Promise.all(told)]);
    const leases = tried.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
    for (const one of tried) if (one.status === 'rejected') this.#notLeased(one.reason, provider, leases.length);
    return leases;
  }

  /** What stands in the log already is handed out all the same: nobody else could spend it. */
  #notLeased(error: unknown, provider: string, others: number): void {
    if (others === 0) throw error;
    this.#options.log.warn({ provider, reason: messageOf(error) }, 'a key could not be leased');
  }

  /** The keys of which least is spent come first, so that equal ones are spent evenly. */
  async #leaseMore({ holder, provider, open, more, parts, had }: { readonly holder: string; readonly provider: string; readonly open: readonly string[]; readonly more: number; readonly parts: number; readonly had: ReadonlySet<string> }): Promise<Lease[]> {
    if (more <= 0) return [];
    const now = this.#options.clock.now();
    const states = await this.#states(open.map((alias) => ({ alias })));
    const inOrder = [...states].filter(([alias]) => !had.has(alias)).sort(([, one], [, other]) => spentShare(one, now) - spentShare(other, now));
    const leases: Lease[] = [];
    for (const [alias] of inOrder) {
      if (leases.length >= more) break;
      try {
        const lease = await this.#lease({ type: 'LeaseBudget', lease: `${alias}.${randomUUID().slice(0, 8)}`, holder, forMs: LEASE_MS, parts, least: this.#leastOf(provider) }, provider);
        if (lease !== undefined) leases.push(lease);
      } catch (error) {
        this.#notLeased(error, provider, leases.length + had.size);
        break;
      }
    }
    return leases;
  }

  /** One that stands and needs no renewal is told as it stands. */
  async #lease(command: Extract<ApiKeyCommand, { type: 'LeaseBudget' }>, provider: string): Promise<Lease | undefined> {
    const { actors, clock } = this.#options;
    const { lease: id, holder } = command;
    const key = keyOf(id);
    const told = await actors.tell(key, command);
    this.#logRestored(told, key, provider);
    const leased = eventsOf(told).find((event) => event.type === 'BudgetLeased')?.data;
    if (leased !== undefined) return { id, key, provider, validForMs: command.forMs, rate: leased.rate, quota: leased.quota, headOnly: leased.headOnly };
    const { state } = await actors.peek(key);
    const stands = state.status === 'registered' ? state.leases[id] : undefined;
    const leftMs = (stands?.until ?? 0) - clock.now();
    if (stands === undefined || stands.holder !== holder || leftMs <= 0) return undefined;
    return { id, key, provider, validForMs: leftMs, rate: stands.rate, quota: {}, headOnly: stands.headOnly };
  }

  async #see(sightings: Exchange['sightings'], keys: readonly DeskKey[], provider: string, now: number): Promise<ExchangeAnswer['closed']> {
    const { actors, tariffs } = this.#options;
    const suspected: { key: string; state: 'throttled'; until: number }[] = [];
    for (const sighting of sightings) {
      if (!keys.some(({ alias }) => alias === sighting.key)) continue;
      const closing = this.#closings.of(sighting, tariffs.get(provider) as Tariff, now);
      if (closing === undefined) continue;
      if (sighting.seen === 'revoked' && closing.until !== null) suspected.push({ key: sighting.key, state: 'throttled', until: closing.until });
      else this.#logClosed(await actors.tell(sighting.key, { type: 'CloseKey', ...closing }), sighting.key, provider);
    }
    return suspected;
  }

  async #closed(keys: readonly DeskKey[], now: number): Promise<ExchangeAnswer['closed']> {
    return [...(await this.#states(keys))].flatMap(([key, { closed }]) => (closed !== undefined && (closed.until ?? Infinity) > now ? [{ key, state: closed.state, until: closed.until }] : []));
  }

  async #states(keys: readonly { readonly alias: string }[]): Promise<ReadonlyMap<string, RegisteredApiKey>> {
    const states = await Promise.all(keys.map(async ({ alias }) => ({ alias, state: (await this.#options.actors.peek(alias)).state })));
    return new Map(states.flatMap(({ alias, state }) => (state.status === 'registered' ? [[alias, state] as const] : [])));
  }

  /** The change of state is news, not each refusal. */
  #logClosed(told: Told, key: string, provider: string): void {
    const { log } = this.#options;
    for (const event of eventsOf(told)) {
      switch (event.type) {
        case 'KeyThrottled':
        case 'KeyExhausted':
          log.warn({ key, provider, until: new Date(event.data.until).toISOString(), reason: event.data.message }, event.type === 'KeyThrottled' ? 'key throttled' : 'key exhausted');
          break;
        case 'KeyRevoked':
          log.error({ key, provider, reason: event.data.message, hint: 'Put another secret under this alias, or take the key out, then start again. If it should be good, chainfold keys probe tries it again.' }, 'key revoked');
          break;
        case 'KeyRegistered':
        case 'BudgetLeased':
        case 'BudgetSettled':
        case 'LeaseLost':
        case 'KeyRestored':
          break;
        default:
          unreachable(event);
      }
    }
  }

  #logRestored(told: Told, key: string, provider: string): void {
    for (const event of eventsOf(told)) if (event.type === 'KeyRestored') this.#options.log.info({ key, provider, from: event.data.from }, 'key restored');
  }

  #isOf(provider: string, lease: string): boolean {
    return this.#options.keys.some((key) => key.provider === provider && key.alias === keyOf(lease));
  }

  #keysOf(provider: string): readonly DeskKey[] {
    return this.#options.keys.filter((key) => key.provider === provider);
  }

  #sharesOf(provider: string): HolderShares {
    const shares = this.#shares.get(provider) ?? new HolderShares({ own: this.#own, mostParts: this.#keysOf(provider).length === 0 ? 1 : mostShares(this.#tariffOf(provider)) });
    this.#shares.set(provider, shares);
    return shares;
  }

  #leastOf(provider: string): Readonly<Record<string, number>> {
    return leastShares(this.#tariffOf(provider));
  }

  #tariffOf(provider: string): Tariff {
    return this.#options.tariffs.get(provider) as Tariff;
  }

  #logCrowded(provider: string, keys: number, now: number): void {
    if (now - (this.#crowdTold.get(provider) ?? -Infinity) < CROWD_TOLD_EVERY_MS) return;
    this.#crowdTold.set(provider, now);
    this.#options.log.warn({ provider, keys, room: keys * mostShares(this.#tariffOf(provider)), hint: 'Workers beyond that read nothing of it: start fewer, or add keys.' }, 'more processes want a share of the keys than there are shares of any use');
  }
}

function eventsOf({ events }: Told): readonly ApiKeyEvent[] {
  return events as unknown as readonly ApiKeyEvent[];
}

/** The id of a lease says which key it is of. */
function keyOf(lease: string): string {
  return lease.slice(0, lease.lastIndexOf('.'));
}

function isClosed({ closed }: RegisteredApiKey, now: number): boolean {
  return closed !== undefined && (closed.until ?? Infinity) > now;
}

function spentShare(key: RegisteredApiKey, now: number): number {
  const shares = calendarLimits(key).map(({ name, units, period }) => (key.booked[name]?.[new Date(now).toISOString().slice(0, period === 'day' ? 10 : 7)] ?? 0) / units);
  return shares.length === 0 ? key.totals.booked : Math.max(...shares);
}
