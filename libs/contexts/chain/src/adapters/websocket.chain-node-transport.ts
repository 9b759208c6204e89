import { randomInt } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Clock } from '#platform/kernel';
import { NodeAnswerInvalid, NodeRefused, NodeUnreachable } from '../ports/chain-node.errors.ts';
import { labelOf, redact } from './chain-node-labels.ts';
import { parseAnswer } from './chain-node-parsing.ts';
import { isObject, meaningOf, readRefusal, refusalError, type Refusal } from './chain-node-refusals.ts';
import type { RpcCall, RpcReply, RpcTransport, TransportLimits } from './chain-node-transport.ts';
import { DEFAULT_LIMITS, encodeCalls, readReply } from './chain-node-transport.ts';
import { HeadQueue } from './chain-node-head-queue.ts';

export interface WebSocketLimits extends TransportLimits {
  /** A connection on which nothing came for two of these is given up. */
  readonly pingEveryMs: number;
  readonly maxReconnectWaitMs: number;
}

export interface WebSocketWays {
  /** Left out: host and path of the address. */
  readonly label?: string;
  /** Told of every announcement that arrives, wanted or not, with its bytes: providers charge for each. */
  readonly pushed?: (bytes: number) => void;
}

export const SUBSCRIBE: RpcCall = { method: 'eth_subscribe', params: ['newHeads'] };
/** Of one connection. A node that makes up ids fills no memory with them. */
const MOST_SUBSCRIPTIONS = 64;
const LONGEST_REFUSAL_BYTES = 1_000;
/** RFC 6455, 7.4.1: what stands below speaks of the connection, not of who asks. */
const POLICY_VIOLATION = 1_008;

interface Waiting {
  readonly calls: readonly RpcCall[];
  readonly firstId: number;
  readonly answer: (reply: RpcReply) => void;
  readonly fail: (error: Error) => void;
}

/** JSON-RPC and subscriptions over one connection, made again after a loss with growing, jittered pauses. */
export class WebSocketTransport implements RpcTransport {
  readonly url: string;
  readonly label: string;
  readonly pushes = true;
  readonly #limits: WebSocketLimits;
  readonly #waiting = new Map<number, Waiting>();
  readonly #subscriptions = new Map<string, HeadQueue>();
  #socket: Promise<WebSocket> | undefined;
  #heardAt = 0;
  #nextId = 1;
  readonly #clock: Clock;
  readonly #pushed: (bytes: number) => void;
  /** Losses since the last message that came. */
  #failures = 0;
  #lostBy: Error | undefined;
  #notBefore = 0;
  #closed = false;

  constructor(url: string, clock: Clock, limits: Partial<WebSocketLimits> = {}, { label = labelOf(url), pushed = () => undefined }: WebSocketWays = {}) {
    this.url = url;
    this.#clock = clock;
    this.label = label;
    this.#pushed = pushed;
    this.#limits = { ...DEFAULT_LIMITS, pingEveryMs: 10_000, maxReconnectWaitMs: 15_000, ...limits };
  }

  /** Resolves when something can be sent at once. */
  async ready(): Promise<void> {
    await this.#connected();
  }

  async send(calls: readonly RpcCall[], signal?: AbortSignal, writing?: () => void): Promise<RpcReply> {
    const socket = await this.#connected();
    signal?.throwIfAborted();
    writing?.();
    const firstId = this.#nextId;
    this.#nextId += calls.length;
    return new Promise<RpcReply>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        this.#waiting.delete(firstId);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const stop = (): void => fail(signal?.reason as Error);
      const timer = setTimeout(() => fail(new NodeUnreachable(this.label, `no answer in ${this.#limits.requestTimeoutMs} ms`)), this.#limits.requestTimeoutMs);
      signal?.addEventListener('abort', stop, { once: true });
      const answer = (reply: RpcReply): void => {
        end();
        resolve(reply);
      };
      this.#waiting.set(firstId, { calls, firstId, answer, fail });
      socket.send(encodeCalls(calls, firstId), (error) => {
        if (error) fail(this.#unreachable(error));
      });
    });
  }

  async *heads(signal: AbortSignal): AsyncIterable<unknown> {
    const reply = await this.send([SUBSCRIBE], signal);
    const answer = reply.kind === 'answers' ? reply.answers[0] : undefined;
    if (answer?.ok !== true) throw new NodeUnreachable(this.label, 'the node takes no subscription to newHeads');
    yield* this.follow(answer.result, signal);
  }

  /** What comes of a subscription that was made on this connection; it is taken back in the end. */
  async *follow(id: unknown, signal: AbortSignal): AsyncIterable<unknown> {
    if (typeof id !== 'string') throw new NodeUnreachable(this.label, 'the node takes no subscription to newHeads');
    const queue = this.#subscriptions.get(id) ?? new HeadQueue();
    this.#subscriptions.set(id, queue);
    try {
      yield* queue.drain(signal);
    } finally {
      this.#subscriptions.delete(id);
      // Best effort: a connection that is gone has no subscription either.
      if (this.#socket !== undefined && !this.#closed) void this.send([{ method: 'eth_unsubscribe', params: [id] }]).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const socket = await this.#socket?.catch(() => undefined);
    socket?.terminate();
  }

  #connected(): Promise<WebSocket> {
    if (this.#closed) return Promise.reject(new NodeUnreachable(this.label, 'closed'));
    if (this.#socket !== undefined) return this.#socket;
    if (this.#lostBy !== undefined && this.#clock.monotonic() < this.#notBefore) return Promise.reject(this.#lostBy instanceof NodeRefused ? this.#unreachable(new Error('it was refused a moment ago')) : this.#lostBy);
    this.#socket = this.#connect();
    this.#socket.catch(() => undefined);
    return this.#socket;
  }

  #connect(): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url, {
        handshakeTimeout: this.#limits.connectTimeoutMs,
        maxPayload: this.#limits.maxAnswerBytes,
        perMessageDeflate: false,
      });
      let lastError: Error | undefined;
      this.#lostBy = undefined;
      const ping = setInterval(() => this.#checkAlive(socket), this.#limits.pingEveryMs);
      socket.on('open', () => {
        this.#heardAt = performance.now();
        resolve(socket);
      });
      socket.on('pong', () => (this.#heardAt = performance.now()));
      socket.on('message', (data: Buffer) => void this.#receive(data, socket));
      socket.on('error', (error) => (lastError = error));
      socket.on('unexpected-response', (_, response) => void this.#refusedAtTheDoor(response).then((error) => {
        this.#lostBy ??= error;
        socket.terminate();
      }));
      socket.on('close', (code, reason) => {
        clearInterval(ping);
        this.#lostBy ??= this.#closedBy(code, reason.toString()) ?? this.#unreachable(lastError ?? new Error(`connection closed with ${code}`));
        this.#lost(this.#lostBy);
        reject(this.#lostBy);
      });
    });
  }

  #checkAlive(socket: WebSocket): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.#heardAt > 2 * this.#limits.pingEveryMs) socket.terminate();
    else socket.ping();
  }

  async #receive(data: Buffer, socket: WebSocket): Promise<void> {
    this.#heardAt = performance.now();
    const body = await parseAnswer(data);
    if (body === undefined) {
      // Nobody can say whose answer it was, so everybody's is in doubt.
      const error = new NodeAnswerInvalid(this.label, 'not JSON, or cut off', { bytes: data.length });
      this.#lostBy = error;
      for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
      socket.terminate();
      return;
    }
    this.#failures = 0;
    if (!isObject(body) || body['method'] !== 'eth_subscription') return this.#settle(body, data.length);
    this.#pushed(data.length);
    this.#announce(body['params']);
  }

  #announce(params: unknown): void {
    if (!isObject(params) || typeof params['subscription'] !== 'string') return;
    const id = params['subscription'];
    // The first announcement may overtake the answer to eth_subscribe.
    const known = this.#subscriptions.get(id);
    if (known === undefined && this.#subscriptions.size >= MOST_SUBSCRIPTIONS) return;
    const queue = known ?? new HeadQueue();
    this.#subscriptions.set(id, queue);
    queue.push(params['result']);
  }

  #settle(body: unknown, bytes: number): void {
    const items: readonly unknown[] = Array.isArray(body) ? body : [body];
    const waiting = items.map((item) => this.#whose(item)).find((found) => found !== undefined) ?? this.#onlyOneWaiting();
    if (waiting === undefined) return;
    try {
      waiting.answer(readReply(body, waiting.calls, waiting.firstId, this.label, bytes));
    } catch (error) {
      waiting.fail(error as Error);
    }
  }

  #whose(item: unknown): Waiting | undefined {
    const id = isObject(item) ? Number(item['id'] ?? Number.NaN) : Number.NaN;
    for (const waiting of this.#waiting.values()) if (id >= waiting.firstId && id < waiting.firstId + waiting.calls.length) return waiting;
    return undefined;
  }

  /** A refusal of a whole batch has no id; with several in the air nobody can say whose it is: they time out. */
  #onlyOneWaiting(): Waiting | undefined {
    return this.#waiting.size === 1 ? [...this.#waiting.values()][0] : undefined;
  }

  #lost(error: Error): void {
    this.#socket = undefined;
    this.#failures += 1;
    const pause = Math.min(this.#limits.maxReconnectWaitMs, 100 * 2 ** Math.min(this.#failures, 12));
    this.#notBefore = this.#clock.monotonic() + (pause * randomInt(500, 1000)) / 1000;
    for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
    for (const queue of this.#subscriptions.values()) queue.fail(error);
    this.#subscriptions.clear();
  }

  async #refusedAtTheDoor(response: IncomingMessage): Promise<Error> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        if ((bytes += chunk.length) > LONGEST_REFUSAL_BYTES) break;
      }
    } catch {
      // What came of its words is enough.
    }
    const words = Buffer.concat(chunks);
    const refusal = readRefusal((await parseAnswer(words)) ?? words.toString('utf8', 0, LONGEST_REFUSAL_BYTES), response.statusCode, response.headers['retry-after']);
    return this.#refusedBy(refusal) ?? this.#unreachable(new Error(`the connection was refused with ${response.statusCode ?? 0}`));
  }

  /** Providers say why in the words that a connection is closed with; their codes are those of WebSockets. */
  #closedBy(code: number, reason: string): Error | undefined {
    return reason === '' || code < POLICY_VIOLATION ? undefined : this.#refusedBy(readRefusal(reason));
  }

  #refusedBy(refusal: Refusal): Error | undefined {
    const ofTheKey = ['throttled', 'exhausted', 'revoked'].includes(meaningOf(refusal));
    return ofTheKey ? refusalError(refusal, SUBSCRIBE.method, this.label, this.url) : undefined;
  }

  #unreachable(error: Error): NodeUnreachable {
    return new NodeUnreachable(this.label, redact(error.message, this.url));
  }
}
