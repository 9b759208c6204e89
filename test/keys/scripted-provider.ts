import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface SeenRequest {
  readonly alias: string;
  readonly over: 'http' | 'ws';
  readonly calls: readonly { readonly id: number; readonly method: string; readonly params: readonly unknown[] }[];
}

export type Scripted =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown }
  /** An error for each call that it is given for. */
  | { readonly items: (call: SeenRequest['calls'][number], at: number) => object | undefined }
  | 'cut'
  | 'mute'
  | { readonly closes: number; readonly reason: string };

/** Keys of a provider that answer as told, and well where nothing is told: each call with its own method and params. */
export class ScriptedProvider {
  readonly requests: SeenRequest[] = [];
  /** What a request gets; the first script that has an answer for it. */
  readonly scripts: ((request: SeenRequest) => Scripted | undefined)[] = [];
  /** Of the door to a WebSocket: a status instead of a connection. */
  door: (alias: string) => { readonly status: number; readonly body: string } | undefined = () => undefined;
  /** Of a credential, by its address: refused as one that is not known. */
  isUnknown: (url: string) => boolean = () => false;
  /** So long until a WebSocket is opened. */
  doorMs = 0;
  /** Nothing over HTTP is answered before. */
  holdUntil: Promise<void> = Promise.resolve();
  /** Told when a request arrives, before it is answered. */
  arrived: (request: SeenRequest) => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #open = new Map<WebSocket, string>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#http(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const refused = this.door(aliasOf(request.url));
      if (refused !== undefined) {
        socket.end(`HTTP/1.1 ${refused.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(refused.body)}\r\nconnection: close\r\n\r\n${refused.body}`);
        return;
      }
      setTimeout(() => this.#sockets.handleUpgrade(request, socket, head, (made) => this.#takes(made, aliasOf(request.url))), this.doorMs);
    });
  }

  static async start(): Promise<ScriptedProvider> {
    const made = new ScriptedProvider();
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  /** As providers have it: the secret in the path. */
  secretOf(alias: string): string {
    return `planted0secret0of0${alias.replaceAll('-', '0')}`;
  }

  httpUrl(alias: string): string {
    return `http://127.0.0.1:${this.#port}/v3/${this.secretOf(alias)}?alias=${alias}`;
  }

  wsUrl(alias: string): string {
    return `ws://127.0.0.1:${this.#port}/ws/v3/${this.secretOf(alias)}?alias=${alias}`;
  }

  /** To every subscription; returns the bytes of each message. */
  announce(number: number): number {
    const message = JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0xsub', result: headerAt(number) } });
    for (const socket of this.#open.keys()) socket.send(message);
    return Buffer.byteLength(message);
  }

  /** Of a key: as when its quota is found gone. */
  sever(alias: string, code = 1008, reason = 'Payment Required'): void {
    for (const [socket, owner] of this.#open) if (owner === alias) socket.close(code, reason);
  }

  connectedTo(alias: string): boolean {
    return [...this.#open.values()].includes(alias);
  }

  async close(): Promise<void> {
    for (const socket of this.#open.keys()) socket.terminate();
    this.#server.closeAllConnections();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #takes(socket: WebSocket, alias: string): void {
    this.#open.set(socket, alias);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const { request, isBatch } = this.#saw(alias, 'ws', data.toString());
      const answer = this.#answer(request);
      if (answer === 'mute') return;
      if (answer === 'cut') return socket.terminate();
      if ('closes' in answer) return socket.close(answer.closes, answer.reason);
      const body = 'items' in answer ? bodyOf(request, isBatch, answer.items) : answer.body;
      socket.send(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  async #http(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const { request, isBatch } = this.#saw(aliasOf(incoming.url), 'http', Buffer.concat(chunks).toString());
    await this.holdUntil;
    const answer = this.isUnknown(incoming.url ?? '') ? { status: 401, body: 'invalid project id' } : this.#answer(request);
    if (answer === 'mute') return;
    if (answer === 'cut' || 'closes' in answer) return void response.destroy();
    const body = 'items' in answer ? bodyOf(request, isBatch, answer.items) : answer.body;
    const { status = 200, headers = {} } = 'items' in answer ? {} : answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  #saw(alias: string, over: 'http' | 'ws', text: string): { readonly request: SeenRequest; readonly isBatch: boolean } {
    const body = JSON.parse(text) as SeenRequest['calls'] | SeenRequest['calls'][number];
    const request = { alias, over, calls: [body].flat() as SeenRequest['calls'] };
    this.requests.push(request);
    this.arrived(request);
    return { request, isBatch: Array.isArray(body) };
  }

  #answer(request: SeenRequest): Scripted {
    for (const script of this.scripts) {
      const answer = script(request);
      if (answer !== undefined) return answer;
    }
    return { items: () => undefined };
  }
}

function bodyOf(request: SeenRequest, isBatch: boolean, error: (call: SeenRequest['calls'][number], at: number) => object | undefined): unknown {
  const items = request.calls.map((call, at) => {
    const refused = error(call, at);
    return { jsonrpc: '2.0', id: call.id, ...(refused === undefined ? { result: call.method === 'eth_subscribe' ? '0xsub' : `${call.method} ${String(call.params[0])}` } : { error: refused }) };
  });
  return isBatch ? items : items[0];
}

function aliasOf(url: string | undefined): string {
  return new URL(url ?? '', 'http://here').searchParams.get('alias') ?? '';
}

function headerAt(number: number): object {
  return { number: `0x${number.toString(16)}`, hash: `0x${number.toString(16).padStart(64, '0')}`, parentHash: `0x${(number - 1).toString(16).padStart(64, '0')}` };
}
