import { type AnswerClass, costOf, costOfPush, type KeyPurse, type Permit, sharedNow, type SpendingAsk, type SpendingLane, type Tariff } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';
import { NodeRefused, NodeUnreachable } from '../ports/chain-node.errors.ts';
import { inPlaceOf, isOfTheKey, isRevoked, seenIn, seenInError, withoutSecrets } from './answers-on-keys.ts';
import { HeldBack, type RpcAnswer, type RpcCall, type RpcReply, type RpcTransport } from './chain-node-transport.ts';
import type { KeyConnections } from './key-connections.ts';
import { PermitSettling } from './permit-settling.ts';
import type { RequestLog } from './request-log.ts';
import { counted, inParts } from './request-parts.ts';
import { SUBSCRIBE, type WebSocketTransport } from './websocket.chain-node-transport.ts';

export interface PooledOptions {
  readonly tariff: Tariff;
  readonly connections: KeyConnections;
  readonly purse: KeyPurse;
  readonly lane: SpendingLane;
  readonly chainId: string;
  readonly log: RequestLog;
}

interface Answered {
  readonly answers: readonly (RpcAnswer | undefined)[];
  readonly bytes: number;
}

/** What became of one request on one key; `key` is undefined where none could be had. */
type Outcome = ({ readonly key: string } & Answered) | { readonly key: string | undefined; readonly error: unknown };

interface Subscribed {
  readonly key: string;
  readonly socket: WebSocketTransport;
  readonly id: unknown;
}

/** One request, refused on one key, goes to another one; more than so many would only spend more. */
const MOST_KEYS = 3;
/** In flight of the backfill's lane, for each key: what an answer takes is about one window of a second. */
const IN_FLIGHT_PER_KEY = 3;
/** Whether a key is revoked says a second look, which is the purse's to take. */
const SECOND_LOOK_MS = 1_500;
/** Of a header with its frame, generously: what was under way when a connection ended is booked. */
const LARGE_PUSH_BYTES = 3_000;

/** All keys of one provider as one node. Nothing is sent without a permit of the purse, and each permit is settled once. */
export class PooledTransport implements RpcTransport {
  /** Nobody connects there: it stands where others have the address that is kept out of what people read. */
  readonly url: string;
  readonly label: string;
  readonly pushes: boolean;
  readonly #options: PooledOptions;
  readonly #closing = new AbortController();
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: PooledOptions) {
    this.#options = options;
    this.url = `https://${options.tariff.provider}.invalid/`;
    this.label = options.tariff.title;
    this.pushes = options.connections.pushing.length > 0;
  }

  /** Throws where no part was answered; beside answers that were paid for, what failed stands as refused. */
  async send(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcReply> {
    const parts = inParts(calls, this.#options.tariff);
    const settled = await Promise.allSettled(parts.map((part) => this.#inTurn(() => this.#request(part.map((at) => calls[at] as RpcCall), signal))));
    signal?.throwIfAborted();
    const isAnyAnswered = settled.some(({ status }) => status === 'fulfilled');
    const answers: (RpcAnswer | undefined)[] = calls.map(() => undefined);
    let [bytes, requests] = [0, 0];
    for (const [index, one] of settled.entries()) {
      const part = parts[index] as readonly number[];
      const instead = one.status === 'fulfilled' ? undefined : inPlaceOf(one.reason);
      if (one.status === 'rejected' && (!isAnyAnswered || instead === undefined)) throw one.reason;
      for (const [place, at] of part.entries()) answers[at] = one.status === 'fulfilled' ? one.value.answers[place] : instead;
      if (one.status === 'rejected') continue;
      bytes += one.value.bytes;
      requests += one.value.requests;
    }
    return { kind: 'answers', answers, bytes, requests };
  }

  /** Announced on the WebSocket of one key, which pays for each on arrival. Ends with an error when that key is refused or cut: then another one may take over. */
  async *heads(signal: AbortSignal): AsyncIterable<unknown> {
    const { tariff, purse, chainId } = this.#options;
    const { key, socket, id } = await this.#subscribed(signal);
    try {
      yield* socket.follow(id, signal);
    } finally {
      // The socket takes the subscription back by itself, where it still can; an announcement may cross with that, or be lost with the connection.
      purse.accrue(key, costOf(tariff, ['eth_unsubscribe']), chainId, 'eth_unsubscribe', true);
      purse.accrue(key, costOfPush(tariff, LARGE_PUSH_BYTES), chainId, 'newHeads', true);
    }
  }

  /** What waits for a permit ends too: nobody who closes waits for a budget. */
  async close(): Promise<void> {
    this.#closing.abort(new NodeUnreachable(this.label, 'it is closed'));
    this.#options.log.close();
    await this.#options.connections.close();
  }

  /** What one request carries, on one key after the other until everything is answered by somebody. */
  async #request(calls: readonly RpcCall[], signal?: AbortSignal): Promise<Answered & { readonly requests: number }> {
    const answers: (RpcAnswer | undefined)[] = calls.map(() => undefined);
    const most = Math.min(MOST_KEYS, this.#options.connections.count);
    const tried: string[] = [];
    let open = calls.map((_, at) => at);
    let bytes = 0;
    for (let requests = 1; ; requests += 1) {
      const outcome = await this.#once(open.map((at) => calls[at] as RpcCall), tried, signal);
      const isLast = requests >= most || outcome.key === undefined;
      if ('error' in outcome) {
        if (signal?.aborted === true) throw signal.reason;
        if (isLast) return { answers: this.#despite(outcome.error, answers, open), bytes, requests };
      } else {
        bytes += outcome.bytes;
        for (const [place, answer] of outcome.answers.entries()) answers[open[place] as number] = answer;
        const refused = open.filter((at) => isOfTheKey(answers[at]));
        if (isLast && refused.some((at) => isRevoked(answers[at]))) return { answers: this.#despite(this.#secondLook(calls), answers, refused), bytes, requests };
        if (refused.length === 0 || isLast) return { answers, bytes, requests };
        open = refused;
      }
      if (outcome.key !== undefined) tried.push(outcome.key);
    }
  }

  /** With an error in the place of what is open, where there are answers beside it; throws it otherwise. */
  #despite(error: unknown, answers: readonly (RpcAnswer | undefined)[], open: readonly number[]): readonly (RpcAnswer | undefined)[] {
    const instead = inPlaceOf(error);
    if (instead === undefined || open.length === answers.length) throw error;
    return answers.map((answer, at) => (open.includes(at) ? instead : answer));
  }

  #secondLook(calls: readonly RpcCall[]): NodeRefused {
    return new NodeRefused(this.label, 'throttled', { method: calls[0]?.method ?? '', message: 'the key was refused; it is looked at again' }, SECOND_LOOK_MS);
  }

  async #once(calls: readonly RpcCall[], tried: readonly string[], signal?: AbortSignal): Promise<Outcome> {
    return this.#withPermit(calls, { not: tried }, signal, (permit) => this.#on(permit, this.#httpOf(permit), calls, signal));
  }

  #httpOf(permit: Permit): RpcTransport {
    try {
      return this.#options.connections.http(permit.key);
    } catch (error) {
      this.#options.purse.settle(permit, { kind: 'unspent' });
      throw error;
    }
  }

  /** Another one where `use` came too late for the first. */
  async #withPermit<T>(calls: readonly RpcCall[], which: Pick<SpendingAsk, 'not' | 'key'>, signal: AbortSignal | undefined, use: (permit: Permit) => Promise<T>): Promise<T | { readonly key: undefined; readonly error: unknown }> {
    const { tariff, purse, lane, chainId, connections } = this.#options;
    const methods = calls.map(({ method }) => method);
    const wanted = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    let ask: SpendingAsk = { provider: tariff.provider, cost: costOf(tariff, methods), calls: counted(methods), chainId, lane, ...which };
    for (;;) {
      let permit: Permit;
      try {
        permit = await purse.acquire(ask, wanted);
      } catch (error) {
        return { key: undefined, error: this.#refusedBy(error, methods[0] ?? '') };
      }
      const isOurs = connections.has(permit.key);
      if (isOurs && !wanted.aborted) {
        try {
          return await use(permit);
        } catch (error) {
          if (!(error instanceof HeldBack)) throw error;
        }
      }
      purse.settle(permit, { kind: 'unspent' });
      if (!isOurs) ask = { ...ask, not: [...(ask.not ?? []), permit.key] };
      wanted.throwIfAborted();
    }
  }

  #isGood(permit: Permit): boolean {
    return sharedNow() < permit.validUntil;
  }

  /** One request on one key. Its permit is settled in any case but one: throws `HeldBack`. */
  async #on(permit: Permit, transport: RpcTransport, calls: readonly RpcCall[], signal?: AbortSignal): Promise<Outcome> {
    const settling = new PermitSettling(this.#options.purse, permit);
    try {
      const reply = await transport.send(calls, signal, () => settling.writing());
      const answers = reply.kind === 'answers' ? reply.answers : calls.map((): RpcAnswer => ({ ok: false, refusal: reply.refusal }));
      const { seen, said } = seenIn(answers, transport.url);
      settling.answered(seen, { ...said, ...this.#leftOf(permit, seen, transport.url), ...(reply.providerTime === undefined ? {} : { providerTime: reply.providerTime }) });
      return { key: permit.key, answers: answers.map((answer) => withoutSecrets(answer, transport.url)), bytes: reply.bytes };
    } catch (error) {
      if (error instanceof HeldBack) throw error;
      const answer = seenInError(error);
      if (answer === undefined) settling.unanswered();
      else settling.answered(answer.seen, { ...answer.said, ...this.#leftOf(permit, answer.seen, transport.url) });
      return { key: permit.key, error };
    } finally {
      this.#note(permit, calls, settling);
    }
  }

  /** Of a key with several credentials one that is refused says nothing of the others. */
  #leftOf({ key }: Permit, seen: AnswerClass, url: string): { readonly hasAnother?: true } {
    return seen === 'revoked' && this.#options.connections.refused(key, url) ? { hasAnother: true } : {};
  }

  /** On one key after the other, as for requests. */
  async #subscribed(signal: AbortSignal): Promise<Subscribed> {
    const { pushing, mute } = this.#options.connections;
    const most = Math.min(MOST_KEYS, pushing.length);
    for (let tried: string[] = []; ; ) {
      const outcome = await this.#subscribe([...mute, ...tried], signal);
      if ('socket' in outcome) return outcome;
      if (outcome.key === undefined || tried.length + 1 >= most || signal.aborted) throw outcome.error;
      tried = [...tried, outcome.key];
    }
  }

  async #subscribe(not: readonly string[], signal: AbortSignal): Promise<Subscribed | { readonly key: string | undefined; readonly error: unknown }> {
    return this.#withPermit([SUBSCRIBE], { not }, signal, async (permit) => {
      const { key } = permit;
      const socket = this.#options.connections.socket(key);
      if (socket === undefined) {
        this.#options.purse.settle(permit, { kind: 'unspent' });
        return { key, error: new NodeUnreachable(this.label, `key ${key} has no WebSocket`) };
      }
      const connecting = new PermitSettling(this.#options.purse, permit);
      try {
        await socket.ready();
      } catch (error) {
        const answer = seenInError(error);
        if (answer === undefined) this.#options.purse.settle(permit, { kind: 'unspent' });
        else connecting.answered(answer.seen, { ...answer.said, ...this.#leftOf(permit, answer.seen, socket.url) });
        return { key, error };
      }
      if (this.#isGood(permit) && !signal.aborted) return this.#subscribeOn(socket, permit, signal);
      // Connecting took longer than it holds.
      this.#options.purse.settle(permit, { kind: 'unspent' });
      signal.throwIfAborted();
      return this.#withPermit([SUBSCRIBE], { key }, signal, (another) => this.#subscribeOn(socket, another, signal));
    });
  }

  async #subscribeOn(socket: WebSocketTransport, permit: Permit, signal: AbortSignal): Promise<Subscribed | { readonly key: string; readonly error: unknown }> {
    const outcome = await this.#on(permit, socket, [SUBSCRIBE], signal);
    if ('error' in outcome) return { key: permit.key, error: outcome.error };
    const [answer] = outcome.answers;
    if (answer?.ok === true) return { key: permit.key, socket, id: answer.result };
    return { key: permit.key, error: new NodeUnreachable(this.label, `key ${permit.key} takes no subscription to newHeads: ${answer?.refusal.text ?? 'no answer'}`) };
  }

  /** As who chooses among plans reads it: left alone for as long as the purse says. */
  #refusedBy(error: unknown, method: string): unknown {
    if (!(error instanceof ChainfoldError)) return error;
    const { waitMs, why } = error.facts;
    const wait = typeof waitMs === 'number' ? waitMs : undefined;
    const facts = { method, message: error.message };
    if (error.code === 'no-budget') return new NodeRefused(this.label, isUsedUp(why) ? 'exhausted' : 'throttled', facts, wait);
    if (error.code === 'provider-down') return new NodeRefused(this.label, 'down', facts, wait);
    if (error.code === 'draining') return new NodeUnreachable(this.label, error.message, error);
    return error;
  }

  #note(permit: Permit, calls: readonly RpcCall[], { seen, ms }: { readonly seen: AnswerClass | 'unanswered' | undefined; readonly ms: number }): void {
    const { tariff, chainId, lane, log } = this.#options;
    const methods = calls.map(({ method }) => method);
    if (seen === undefined) return;
    log.note({ provider: tariff.provider, key: permit.key, chainId, lane, methods: counted(methods), units: costOf(tariff, methods)['units'] ?? 0, class: seen, ms });
  }

  /** The head goes at once; of older blocks only so many are under way that none waits in vain. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#options.lane === 'head') return work();
    if (this.#inFlight >= this.#options.connections.count * IN_FLIGHT_PER_KEY) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#inFlight += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next();
    }
  }
}

/** Every key that there is, and not for a moment. */
function isUsedUp(why: unknown): boolean {
  const states = typeof why === 'object' && why !== null ? Object.values(why) : [];
  return states.length > 0 && states.every((state) => state === 'exhausted');
}
