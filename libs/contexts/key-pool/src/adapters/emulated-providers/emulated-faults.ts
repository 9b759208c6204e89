import type { Chance } from './seeded-chance.ts';

/** What a provider does instead of answering well; plain JSON. */
export type Misbehaviour =
  /** 429. `each`: in a batch every second call is refused, within HTTP 200. Seconds where something is told: 1 by default. */
  | { readonly kind: 'throttle'; readonly tells: 'retry-after' | 'backoff-seconds' | 'nested-backoff-seconds' | 'nothing' | 'each'; readonly seconds?: number }
  /** As when the day or month is gone: 402, or what the provider says of its month. */
  | { readonly kind: 'exhausted' }
  /** As an unknown key. */
  | { readonly kind: 'unauthorized' }
  /** -32005 in its three meanings; `results` is answered to calls that were metered. */
  | { readonly kind: 'limit-exceeded'; readonly meaning: 'rate' | 'daily' | 'results' }
  /** Metered, then nothing is said: HTTP never answers, and a WebSocket says nothing any more, not even a pong. */
  | { readonly kind: 'mute' }
  /** The connection is cut: before the meter, or after the request was metered and forwarded. */
  | { readonly kind: 'lost'; readonly where: 'way-in' | 'way-back' }
  /** A status of HTTP (a WebSocket is closed with 1011); nothing is metered. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** The Date header is wrong by so much. */
  | { readonly kind: 'wrong-date'; readonly ms: number }
  /** Blocks at the head are not known for so long after they were first asked for or announced. */
  | { readonly kind: 'lagging'; readonly ms: number; readonly tells?: 'null' | 'not-processed' };

export interface EmulatedFault {
  /** Each left out: any. */
  readonly provider?: string;
  readonly account?: string;
  readonly over?: 'http' | 'ws';
  /** Requests with such a call among theirs. */
  readonly method?: string;
  /** Left out: until it is taken away. */
  readonly times?: number;
  /** Of each request that it concerns; 1 by default. */
  readonly chance?: number;
  /** Over so long after it was added, on the injected clock. */
  readonly forMs?: number;
  readonly does: Misbehaviour;
}

export interface FaultAt {
  readonly provider: string;
  readonly account: string;
  readonly over: 'http' | 'ws';
  readonly methods: readonly string[];
  /** Left out: all of them. */
  readonly only?: readonly Misbehaviour['kind'][];
}

interface Standing {
  readonly id: number;
  readonly fault: EmulatedFault;
  readonly endsAt: number;
  shown: number;
}

/** The faults that the emulated providers have been told to show, in the order told. */
export class EmulatedFaults {
  readonly #chance: Chance;
  readonly #clock: { monotonic(): number };
  #standing: Standing[] = [];
  #nextId = 1;

  constructor(chance: Chance, clock: { monotonic(): number }) {
    this.#chance = chance;
    this.#clock = clock;
  }

  /** Answers its id, to take it away again. */
  add(fault: EmulatedFault): number {
    const id = this.#nextId++;
    this.#standing.push({ id, fault, endsAt: this.#clock.monotonic() + (fault.forMs ?? Infinity), shown: 0 });
    return id;
  }

  remove(id: number): void {
    this.#standing = this.#standing.filter((one) => one.id !== id);
  }

  clear(): void {
    this.#standing = [];
  }

  list(): readonly { readonly id: number; readonly fault: EmulatedFault; readonly shown: number }[] {
    return this.#standing.map(({ id, fault, shown }) => ({ id, fault, shown }));
  }

  /** What happens to a request: the first fault that answers in its place, and all that only change how. Counts them as shown. */
  take(at: FaultAt): readonly Misbehaviour[] {
    const taken: Misbehaviour[] = [];
    for (const one of this.#standing) {
      const { does, times = Infinity, chance = 1 } = one.fault;
      if (!concerns(one.fault, at) || one.shown >= times || this.#clock.monotonic() >= one.endsAt) continue;
      if (!changesOnly(does) && taken.some((other) => !changesOnly(other))) continue;
      if (chance < 1 && this.#chance() >= chance) continue;
      one.shown += 1;
      taken.push(does);
    }
    return taken;
  }
}

function concerns({ provider, account, over, method, does }: EmulatedFault, at: FaultAt): boolean {
  if (at.only?.includes(does.kind) === false) return false;
  const here = (provider ?? at.provider) === at.provider && (account ?? at.account) === at.account && (over ?? at.over) === at.over;
  return here && (method === undefined || at.methods.includes(method));
}

function changesOnly({ kind }: Misbehaviour): boolean {
  return kind === 'wrong-date' || kind === 'lagging';
}
