import { type AnswerClass, costOf, costOfPush, type Cost, type KeyPurse, type Permit, sharedNow, type SpendingLane, tooDearFor, type Tariff } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';
import { NodeRefused, NodeUnreachable } from '../ports/chain-node.errors.ts';
import { redact } from './chain-node-labels.ts';
import { meaningOf, type Refusal } from './chain-node-refusals.ts';
import type { RpcAnswer, RpcCall, RpcReply, RpcTransport } from './chain-node-transport.ts';
import type { KeyConnections } from './key-connections.ts';
import type { RequestLog } from './request-log.ts';

export interface PooledOptions {
  readonly tariff: Tariff;
  readonly connections: KeyConnections;
  readonly purse: KeyPurse;
  readonly lane: SpendingLane;
  readonly chainId: string;
  readonly log: RequestLog;
}

/** One request, refused on one key, goes to another one; more than so many would only spend more. */
const MOST_KEYS = 3;
/** In flight of the backfill's lane, for each key: what an answer takes is about one window of a second. */
const IN_FLIGHT_PER_KEY = 3;
/** Of a rolling limit that one batch may take: a lease may be half of it. */
const SHARE_OF_A_BATCH = 0.5;
const SUBSCRIBED_WITHIN_MS = 5_000;
/** Whether a key is revoked says a second look, which is the purse's to take. */
const SECOND_LOOK_MS = 1_500;

/** All keys of one provider as one node. Nothing is sent without a permit of the purse, and each permit is settled once. */
export class PooledTransport implements RpcTransport {
  /** Nobody connects there: it stands where others have the address that is kept out of what people read. */
  readonly url: string;
  readonly label: string;
  readonly pushes: boolean;
  readonly #options: PooledOptions;
  #inFlight = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: PooledOptions) {
    this.#options = options;
    this.url = `https://${options.tariff.provider}.invalid/`;
    this.label = options.tariff.title;
    this.pushes = options.connections.canPush;
  }

  async send(calls: readonly RpcCall[], signal?: AbortSignal): Promise<RpcReply> {
    const parts = inParts(calls, this.#options.tariff);
    const replies = await Promise.all(parts.map((part) => this.#inTurn(() => this.#request(part, signal))));
    const answers = replies.flatMap((reply) => reply.answers);
    const bytes = replies.reduce((sum, reply) => sum + reply.bytes, 0);
    const requests = replies.reduce((sum, reply) => sum + reply.requests, 0);
    return { kind: 'answers', answers, bytes, requests };
  }

  /** Announced on the WebSocket of one key, which pays for each. Ends with an error when that key is refused or cut. */
  async *heads(signal: AbortSignal): AsyncIterable<unknown> {
    const { tariff, purse, connections, chainId } = this.#options;
    const permit = await this.#permit(['eth_subscribe'], [], signal);
    const socket = connections.socket(permit.key);
    if (socket === undefined) {
      purse.settle(permit, { kind: 'unspent' });
      throw new NodeUnreachable(this.label, `key ${permit.key} has no WebSocket`);
    }
    const subscribing = new Settling(purse, permit);
    const late = setTimeout(() => subscribing.answered('ok'), SUBSCRIBED_WITHIN_MS);
    try {
      for await (const head of socket.heads(signal)) {
        subscribing.answered('ok');
        purse.accrue(permit.key, costOfPush(tariff, JSON.stringify(head).length), chainId, 'newHeads');
        yield head;
      }
    } finally {
      clearTimeout(late);
      subscribing.unanswered();
      // The socket takes the subscription back by itself, where it still can.
      purse.accrue(permit.key, costOf(tariff, ['eth_unsubscribe']), chainId, 'eth_unsubscribe', true);
    }
  }

  async close(): Promise<void> {
    this.#options.log.tell();
    await this.#options.connections.close();
  }

  /** What one request carries, on one key after the other until everything is answered by somebody. */
  async #request(calls: readonly RpcCall[], signal?: AbortSignal): Promise<{ readonly answers: readonly (RpcAnswer | undefined)[]; readonly bytes: number; readonly requests: number }> {
    const answers: (RpcAnswer | undefined)[] = calls.map(() => undefined);
    let open = calls.map((_, at) => at);
    let bytes = 0;
    const tried: string[] = [];
    for (let requests = 1; ; requests += 1) {
      const asked = open.map((at) => calls[at] as RpcCall);
      const outcome = await this.#once(asked, tried, signal);
      const last = requests >= Math.min(MOST_KEYS, this.#options.connections.count);
      if ('error' in outcome) {
        if (last || signal?.aborted === true) throw outcome.error;
        tried.push(outcome.key);
        continue;
      }
      bytes += outcome.bytes;
      for (const [place, answer] of outcome.answers.entries()) answers[open[place] as number] = answer;
      const refused = open.filter((at) => isOfTheKey(answers[at]));
      if (refused.some((at) => last && isRevoked(answers[at]))) throw new NodeRefused(this.label, 'throttled', { method: asked[0]?.method ?? '', message: 'the key was refused; it is looked at again' }, SECOND_LOOK_MS);
      if (refused.length === 0 || last) return { answers, bytes, requests };
      open = refused;
      tried.push(outcome.key);
    }
  }

  /** One request on one key. Its permit is settled in any case. */
  async #once(calls: readonly RpcCall[], tried: readonly string[], signal?: AbortSignal): Promise<{ readonly key: string; readonly answers: readonly (RpcAnswer | undefined)[]; readonly bytes: number } | { readonly key: string; readonly error: unknown }> {
    const methods = calls.map(({ method }) => method);
    const permit = await this.#permit(methods, tried, signal);
    const transport = this.#options.connections.http(permit.key);
    const settling = new Settling(this.#options.purse, permit);
    try {
      const reply = await transport.send(calls, signal);
      const answers = reply.kind === 'answers' ? reply.answers : calls.map((): RpcAnswer => ({ ok: false, refusal: reply.refusal }));
      const refusal = worst(answers);
      const seen = refusal === undefined ? 'ok' : classOf(refusal);
      const words = refusal === undefined || seen === 'other' ? {} : { message: redact(refusal.text, transport.url).slice(0, 200), ...(refusal.waitMs === undefined ? {} : { waitMs: refusal.waitMs }) };
      settling.answered(seen, { ...words, ...(reply.providerTime === undefined ? {} : { providerTime: reply.providerTime }) });
      this.#note(permit, methods, seen, settling.ms);
      return { key: permit.key, answers: answers.map((answer) => withoutSecrets(answer, transport.url)), bytes: reply.bytes };
    } catch (error) {
      // An answer that is none was an answer all the same: it was counted.
      if (error instanceof ChainfoldError && error.code === 'node-answer-invalid') settling.answered('down');
      else settling.unanswered();
      this.#note(permit, methods, settling.seen, settling.ms);
      return { key: permit.key, error };
    }
  }

  /** A permit that is good at this very moment: between this and sending nothing else may run. */
  async #permit(methods: readonly string[], tried: readonly string[], signal?: AbortSignal): Promise<Permit> {
    const { tariff, purse, lane, chainId } = this.#options;
    const cost = costOf(tariff, methods);
    for (;;) {
      const permit = await purse.acquire({ provider: tariff.provider, cost, calls: counted(methods), chainId, lane, not: tried }, signal).catch((error: unknown) => {
        throw this.#refusedBy(error, methods[0] ?? '');
      });
      if (sharedNow() < permit.validUntil && signal?.aborted !== true) return permit;
      purse.settle(permit, { kind: 'unspent' });
      signal?.throwIfAborted();
    }
  }

  #refusedBy(error: unknown, method: string): unknown {
    if (!(error instanceof ChainfoldError)) return error;
    const { waitMs } = error.facts;
    if (error.code === 'no-budget') return new NodeRefused(this.label, 'throttled', { method, message: error.message }, typeof waitMs === 'number' ? waitMs : undefined);
    if (error.code === 'provider-down' || error.code === 'draining') return new NodeUnreachable(this.label, error.message, error);
    return error;
  }

  #note(permit: Permit, methods: readonly string[], seen: AnswerClass | 'unanswered' | undefined, ms: number): void {
    const { tariff, chainId, lane, log } = this.#options;
    log.note({ provider: tariff.provider, key: permit.key, chainId, lane, methods: counted(methods), units: costOf(tariff, methods)['units'] ?? 0, class: seen ?? 'unanswered', ms });
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

/** Settles a permit once, with the times of its request. */
class Settling {
  readonly #purse: KeyPurse;
  readonly #permit: Permit;
  /** By then it was written: between a stamp before that and the writing a busy machine may take this thread off its core. */
  #sentAt = sharedNow();
  seen: AnswerClass | 'unanswered' | undefined;
  ms = 0;

  constructor(purse: KeyPurse, permit: Permit) {
    this.#purse = purse;
    this.#permit = permit;
    setImmediate(() => (this.#sentAt = sharedNow()));
  }

  answered(seen: AnswerClass, said: { readonly message?: string; readonly waitMs?: number; readonly providerTime?: number } = {}): void {
    if (this.seen !== undefined) return;
    this.seen = seen;
    const answeredAt = sharedNow();
    this.ms = answeredAt - this.#sentAt;
    this.#purse.settle(this.#permit, { kind: 'answered', class: seen, sentAt: this.#sentAt, answeredAt, ...said });
  }

  unanswered(): void {
    if (this.seen !== undefined) return;
    this.seen = 'unanswered';
    this.ms = sharedNow() - this.#sentAt;
    this.#purse.settle(this.#permit, { kind: 'unanswered', sentAt: this.#sentAt });
  }
}

/** As the tariff makes them cheapest: together where that costs nothing and no limit minds, each alone otherwise. */
function inParts(calls: readonly RpcCall[], tariff: Tariff): readonly (readonly RpcCall[])[] {
  const batchCosts = Object.values(tariff.ledgers).some(({ batch }) => batch > 0);
  if (batchCosts || tariff.mostCallsPerRequest === 1) return calls.map((call) => [call]);
  const parts: RpcCall[][] = [];
  for (const call of calls) {
    const last = parts.at(-1);
    if (last !== undefined && last.length < tariff.mostCallsPerRequest && fits([...last, call], tariff)) last.push(call);
    else parts.push([call]);
  }
  return parts;
}

function fits(calls: readonly RpcCall[], tariff: Tariff): boolean {
  const cost = costOf(tariff, calls.map(({ method }) => method));
  const dear: Cost = Object.fromEntries(Object.entries(cost).map(([ledger, units]) => [ledger, units / SHARE_OF_A_BATCH]));
  return tooDearFor(tariff, dear) === undefined;
}

const GRAVITY: readonly AnswerClass[] = ['revoked', 'exhausted', 'throttled', 'down', 'other'];

/** Of several refusals the one that says most of the key. */
function worst(answers: readonly (RpcAnswer | undefined)[]): Refusal | undefined {
  const refusals = answers.flatMap((answer) => (answer?.ok === false ? [answer.refusal] : []));
  return refusals.reduce<Refusal | undefined>((before, refusal) => (before === undefined || GRAVITY.indexOf(classOf(refusal)) < GRAVITY.indexOf(classOf(before)) ? refusal : before), undefined);
}

function classOf(refusal: Refusal): AnswerClass {
  const meaning = meaningOf(refusal);
  return meaning === 'throttled' || meaning === 'exhausted' || meaning === 'revoked' || meaning === 'down' ? meaning : 'other';
}

/** Another key may be answered what this one is refused. */
function isOfTheKey(answer: RpcAnswer | undefined): boolean {
  return answer?.ok === false && classOf(answer.refusal) !== 'other';
}

function isRevoked(answer: RpcAnswer | undefined): boolean {
  return answer?.ok === false && classOf(answer.refusal) === 'revoked';
}

function withoutSecrets(answer: RpcAnswer | undefined, url: string): RpcAnswer | undefined {
  return answer?.ok === false ? { ok: false, refusal: { ...answer.refusal, text: redact(answer.refusal.text, url) } } : answer;
}

function counted(methods: readonly string[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const method of methods) calls[method] = (calls[method] ?? 0) + 1;
  return calls;
}
