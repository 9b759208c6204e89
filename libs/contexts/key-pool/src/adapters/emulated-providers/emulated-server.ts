import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { serveControl } from './emulated-control.ts';
import type { EmulatedFaults } from './emulated-faults.ts';
import { serveHttp } from './emulated-http.ts';
import type { EmulatedProvider } from './emulated-provider.ts';
import { refuses } from './emulated-reply.ts';
import { EmulatedSocket } from './emulated-socket.ts';
import type { Referee } from './referee.ts';
import type { RefusalBody } from './refusal-bodies.ts';
import type { UpstreamNode } from './upstream-node.ts';

export interface ServerParts {
  readonly providers: readonly EmulatedProvider[];
  readonly upstream: UpstreamNode;
  readonly referee: Referee;
  readonly faults: EmulatedFaults;
}

/** All providers on one port of this machine, each under its own path. */
export class EmulatedServer {
  readonly #parts: ServerParts;
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #sockets = new Set<EmulatedSocket>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#server = createServer((request, response) => void this.#serve(request, response).catch(() => response.destroy()));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
  }

  /** Resolves with `127.0.0.1:{port}`. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#upgrades.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    const path = pathOf(request);
    const [provider, key] = this.#providerAt(path, ({ manner }) => manner.httpPath) ?? [];
    if (provider === undefined || key === undefined) return serveControl(request, response, path, this.#parts.referee, this.#parts.faults);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const reply = await serveHttp(request, response, provider, key, this.#parts.upstream);
    const alias = provider.aliasOf(key);
    if (reply.kind === 'says' && reply.severs && alias !== undefined) this.#sever(alias);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const [provider, key] = this.#providerAt(pathOf(request), ({ manner }) => manner.wsPath) ?? [];
    if (provider === undefined || key === undefined) return refuseUpgrade(socket, { status: 404, body: 'Not Found' });
    const alias = provider.aliasOf(key);
    const refusal = provider.refusesSocket(alias);
    if (refusal !== undefined || alias === undefined) return refuseUpgrade(socket, refusal ?? { status: 401, body: 'Unauthorized' });
    this.#upgrades.handleUpgrade(request, socket, head, (client) => {
      const one = new EmulatedSocket(client, alias, provider, this.#parts.upstream, () => this.#sever(alias));
      this.#sockets.add(one);
      client.on('close', () => this.#sockets.delete(one));
    });
  }

  #sever(alias: string): void {
    for (const socket of this.#sockets) if (socket.alias === alias) socket.sever();
  }

  #providerAt(path: string, template: (provider: EmulatedProvider) => string): readonly [EmulatedProvider, string] | undefined {
    for (const provider of this.#parts.providers) {
      const start = template(provider).replace('{key}', '');
      const key = path.startsWith(start) ? path.slice(start.length) : '';
      if (key !== '' && !key.includes('/')) return [provider, decodeURIComponent(key)];
    }
    return undefined;
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return new URL(url, 'http://127.0.0.1').pathname;
}

function refuseUpgrade(socket: Duplex, refusal: RefusalBody): void {
  const { status, headers, bytes } = refuses(refusal, 'http', undefined);
  const lines = Object.entries({ ...headers, 'content-length': String(bytes.length), connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n`), bytes]));
}
