import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { RecordedBlock, RecordedChain } from './recorded-chain.ts';
import type { ReplayOptions } from './replay-answers.ts';
import { ReplayAnswers } from './replay-answers.ts';
import type { Misdeed, SeenCall } from './replay-faults.ts';
import { Faults } from './replay-faults.ts';

export type { ReplayOptions };

interface Item {
  readonly id: unknown;
  readonly call: SeenCall;
}

/** Plays a recorded chain as a node would: HTTP and WebSocket on one port, and misbehaves when told to. */
export class ReplayNode {
  readonly chain: RecordedChain;
  readonly faults = new Faults();
  readonly calls = new Map<string, number>();
  requests = 0;
  /** Of WebSockets, since the start. */
  connections = 0;
  /** Takes every WebSocket and cuts it at once. */
  dropsConnections = false;
  readonly #answers: ReplayAnswers;
  readonly #options: ReplayOptions;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #subscribers = new Map<string, WebSocket>();
  #nextSubscription = 1;

  private constructor(chain: RecordedChain, options: ReplayOptions) {
    this.chain = chain;
    this.#options = options;
    this.#answers = new ReplayAnswers(chain, options);
    this.#server = createServer((request, response) => void this.#http(request, response));
    this.#server.keepAliveTimeout = 60_000;
    this.#sockets = new WebSocketServer({ server: this.#server, perMessageDeflate: false });
    this.#sockets.on('connection', (socket) => {
      this.connections += 1;
      if (this.dropsConnections) socket.terminate();
      socket.on('message', (data: Buffer) => void this.#message(socket, data));
      socket.on('close', () => this.#unsubscribe(socket));
      socket.on('error', () => undefined);
    });
  }

  static async start(chain: RecordedChain, options: ReplayOptions = {}): Promise<ReplayNode> {
    const node = new ReplayNode(chain, options);
    await new Promise<void>((resolve, reject) => {
      node.#server.once('error', reject);
      node.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Shows the chain up to `number` and announces the new head, or every one on the way. */
  advanceTo(number: number, announce: 'each' | 'last' | 'none' = 'each'): void {
    const from = this.chain.head + 1;
    this.chain.head = number;
    for (let each = announce === 'each' ? from : number; announce !== 'none' && each <= number; each += 1) this.announce(this.chain.at(each));
  }

  switchTo(branch: readonly RecordedBlock[], announce = true): void {
    this.chain.switchTo(branch);
    if (announce) this.announce(branch.at(-1));
  }

  announce(block: RecordedBlock | undefined): void {
    if (block === undefined) return;
    const header = this.#answers.pushedHead(block);
    for (const [id, socket] of this.#subscribers) {
      socket.send(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${header}}}`);
    }
  }

  /** Cuts every connection as a crash would; new ones are taken. */
  cutConnections(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
  }

  /** Leaves the WebSockets open and reads nothing of them any more, not even pings. */
  goDeaf(): void {
    for (const socket of this.#sockets.clients) socket.pause();
  }

  async close(): Promise<void> {
    this.cutConnections();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #http(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const answer = await this.#answer(Buffer.concat(chunks).toString(), undefined);
    if (answer.kind === 'mute') return;
    if (answer.kind === 'cut') return void response.destroy();
    const headers = { 'content-type': 'application/json', ...(answer.kind === 'status' ? answer.headers : {}) };
    const parts = answer.kind === 'parts' ? answer.parts : [Buffer.from(answer.body)];
    response.writeHead(answer.kind === 'status' ? answer.status : 200, { ...headers, 'content-length': parts.reduce((sum, part) => sum + part.length, 0) });
    for (const part of parts) response.write(part);
    response.end();
  }

  async #message(socket: WebSocket, data: Buffer): Promise<void> {
    const answer = await this.#answer(data.toString(), socket);
    if (answer.kind === 'mute') return;
    if (answer.kind === 'cut') return socket.terminate();
    if (answer.kind === 'status') return socket.close(1008, 'refused');
    socket.send(answer.kind === 'parts' ? Buffer.concat(answer.parts) : answer.body, { binary: false });
  }

  async #answer(text: string, socket: WebSocket | undefined): Promise<Answer> {
    this.requests += 1;
    const body = JSON.parse(text) as unknown;
    const items = (Array.isArray(body) ? body : [body]).map((one: { id: unknown; method: string; params?: unknown[] }) => ({
      id: one.id,
      call: { method: one.method, params: one.params ?? [] },
    }));
    if (items.length > (this.#options.maxBatch ?? Number.POSITIVE_INFINITY)) {
      const { batchRefusal } = this.#options;
      if (batchRefusal === 'status-413') return { kind: 'status', status: 413, body: 'Request Entity Too Large' };
      const id = batchRefusal === 'no-id' ? null : items[0]?.id;
      return { kind: 'raw', body: JSON.stringify([{ jsonrpc: '2.0', id, error: { code: -32600, message: 'batch too large' } }]) };
    }
    const parts: Buffer[] = [];
    let bytes = 0;
    let whole: Misdeed | undefined;
    for (const item of items) {
      this.calls.set(item.call.method, (this.calls.get(item.call.method) ?? 0) + 1);
      const misdeed = this.faults.take(item.call);
      if (misdeed?.kind === 'delay') await sleep(misdeed.ms);
      else if (misdeed !== undefined && isWhole(misdeed)) whole = misdeed;
      if (misdeed?.kind === 'omit') continue;
      const tooMuch = bytes > (this.#options.maxAnswerBytes ?? Number.POSITIVE_INFINITY);
      const answer = tooMuch ? errorPart(item.id, -32003, 'response too large') : this.#part(item, misdeed, socket);
      bytes += answer.reduce((sum, piece) => sum + piece.length, 0);
      parts.push(...(parts.length === 0 ? [] : [COMMA]), ...answer);
    }
    const all = Array.isArray(body) ? [OPEN, ...parts, CLOSE] : parts;
    if (whole?.kind === 'truncate') return { kind: 'raw', body: Buffer.concat(all).toString().slice(0, whole.keep) };
    if (whole?.kind === 'status' || whole?.kind === 'raw' || whole?.kind === 'mute' || whole?.kind === 'cut') return whole;
    return { kind: 'parts', parts: all };
  }

  #part(item: Item, misdeed: Misdeed | undefined, socket: WebSocket | undefined): Buffer[] {
    const { call, id } = item;
    if (misdeed?.kind === 'null') return resultPart(id, NULL);
    if (misdeed?.kind === 'error') return errorPart(id, misdeed.code, misdeed.message, misdeed.data);
    if (call.method === 'eth_subscribe' && socket !== undefined) return resultPart(id, Buffer.from(JSON.stringify(this.#subscribe(socket))));
    const answer = this.#answers.answer(call);
    if ('code' in answer) return errorPart(id, answer.code, answer.message);
    if (misdeed?.kind !== 'edit') return resultPart(id, answer.result);
    const edited = misdeed.edit(JSON.parse(answer.result.toString()) as Record<string, unknown> & unknown[]);
    return resultPart(id, Buffer.from(JSON.stringify(edited)));
  }

  #subscribe(socket: WebSocket): string {
    const id = `0x${(this.#nextSubscription++).toString(16)}`;
    this.#subscribers.set(id, socket);
    return id;
  }

  #unsubscribe(socket: WebSocket): void {
    for (const [id, one] of [...this.#subscribers]) if (one === socket) this.#subscribers.delete(id);
  }
}

type Answer = { readonly kind: 'parts'; readonly parts: readonly Buffer[] } | Extract<Misdeed, { kind: 'raw' | 'status' | 'mute' | 'cut' }>;

const NULL = Buffer.from('null');
const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');
const COMMA = Buffer.from(',');
const END = Buffer.from('}');

function resultPart(id: unknown, result: Buffer): Buffer[] {
  return [Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`), result, END];
}

function errorPart(id: unknown, code: number, message: string, data?: unknown): Buffer[] {
  return [Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } }))];
}

function isWhole(misdeed: Misdeed): boolean {
  return misdeed.kind === 'status' || misdeed.kind === 'truncate' || misdeed.kind === 'raw' || misdeed.kind === 'mute' || misdeed.kind === 'cut';
}
