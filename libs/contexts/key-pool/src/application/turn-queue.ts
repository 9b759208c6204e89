import type { Permit, SpendingAsk, SpendingLane } from '../contracts/index.ts';

/** Someone who waits for a turn. `Need` is what the ask needs, in the form that whoever serves it reckons with. */
export interface Turn<Need> {
  readonly ask: SpendingAsk;
  readonly need: Need;
  readonly since: number;
  /** Infinity: as long as there is hope. */
  readonly deadline: number;
}

interface Waiting<Need> extends Turn<Need> {
  settle(outcome: { readonly permit: Permit } | { readonly error: Error }): void;
}

type Lane<Need> = Map<string, Set<Waiting<Need>>>;

/**
 * Who waits for a turn on one provider: the head first, chains in turn within a lane, then who came first. So that
 * backfill never stands still, it has one turn after so many of the head.
 */
export class TurnQueue<Need> {
  readonly #lanes: Readonly<Record<SpendingLane, Lane<Need>>> = { head: new Map(), backfill: new Map() };
  readonly #sizes = { head: 0, backfill: 0 };
  #headTurns = 0;
  /** At the latest; may be of one that left. */
  #soonestDeadline = Infinity;

  get size(): number {
    return this.#sizes.head + this.#sizes.backfill;
  }

  get sizes(): Readonly<Record<SpendingLane, number>> {
    return this.#sizes;
  }

  get soonestDeadline(): number {
    return this.#soonestDeadline;
  }

  wait(turn: Turn<Need>, signal?: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const stop = (): void => {
        this.#remove(waiting);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting<Need> = {
        ...turn,
        settle: (outcome) => {
          signal?.removeEventListener('abort', stop);
          this.#remove(waiting);
          if ('permit' in outcome) resolve(outcome.permit);
          else reject(outcome.error);
        },
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#add(waiting);
    });
  }

  /** Offers a turn to each in order, until `serve` says that nobody behind can have one. */
  pass(serve: (turn: Turn<Need>) => Permit | Error | 'waits' | 'nobody'): void {
    for (const waiting of this.#inOrder()) {
      const outcome = serve(waiting);
      if (outcome === 'nobody') return;
      if (outcome === 'waits') continue;
      if (outcome instanceof Error) waiting.settle({ error: outcome });
      else this.#served(waiting, outcome);
    }
  }

  refuse(why: (turn: Turn<Need>) => Error | undefined): void {
    for (const waiting of [...this.#inOrder()]) {
      const error = why(waiting);
      if (error !== undefined) waiting.settle({ error });
    }
  }

  /** Refuses those whose patience is over. */
  expire(now: number, why: (turn: Turn<Need>) => Error): void {
    if (now < this.#soonestDeadline) return;
    this.refuse((turn) => (turn.deadline <= now ? why(turn) : undefined));
    this.#soonestDeadline = Infinity;
    for (const { deadline } of this.all()) this.#soonestDeadline = Math.min(this.#soonestDeadline, deadline);
  }

  *all(): Generator<Turn<Need>> {
    for (const lane of Object.values(this.#lanes)) for (const chain of lane.values()) yield* chain;
  }

  #add(waiting: Waiting<Need>): void {
    const { lane, chainId } = waiting.ask;
    const chains = this.#lanes[lane];
    const chain = chains.get(chainId);
    if (chain === undefined) chains.set(chainId, new Set([waiting]));
    else chain.add(waiting);
    this.#sizes[lane] += 1;
    this.#soonestDeadline = Math.min(this.#soonestDeadline, waiting.deadline);
  }

  #remove(waiting: Waiting<Need>): void {
    const { lane, chainId } = waiting.ask;
    const chain = this.#lanes[lane].get(chainId);
    if (chain?.delete(waiting) !== true) return;
    if (chain.size === 0) this.#lanes[lane].delete(chainId);
    this.#sizes[lane] -= 1;
  }

  #served(waiting: Waiting<Need>, permit: Permit): void {
    const { lane, chainId } = waiting.ask;
    waiting.settle({ permit });
    this.#headTurns = lane === 'head' && this.#sizes.backfill > 0 ? this.#headTurns + 1 : 0;
    // Its chain has had its turn: it goes behind the others.
    const chains = this.#lanes[lane];
    const chain = chains.get(chainId);
    if (chain === undefined) return;
    chains.delete(chainId);
    chains.set(chainId, chain);
  }

  *#inOrder(): Generator<Waiting<Need>> {
    const first = this.#headTurns >= HEAD_TURNS_PER_BACKFILL ? firstOf(this.#lanes.backfill) : undefined;
    if (first !== undefined) yield first;
    yield* inTurns(this.#lanes.head);
    for (const waiting of inTurns(this.#lanes.backfill)) if (waiting !== first) yield waiting;
  }
}

const HEAD_TURNS_PER_BACKFILL = 9;

function firstOf<Need>(lane: Lane<Need>): Waiting<Need> | undefined {
  for (const chain of lane.values()) for (const waiting of chain) return waiting;
  return undefined;
}

/** One of each chain, then the next of each. */
function* inTurns<Need>(lane: Lane<Need>): Generator<Waiting<Need>> {
  let chains = [...lane.values()].map((chain) => chain.values());
  while (chains.length > 0) {
    const going: typeof chains = [];
    for (const chain of chains) {
      const next = chain.next();
      if (next.done === true) continue;
      going.push(chain);
      yield next.value;
    }
    chains = going;
  }
}
