import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a node and says more than was asked for: the same text beside every block and transaction. */
export class TalkativeNode {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(before: string, remark: string): Promise<TalkativeNode> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const asked = fetch(before, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.concat(chunks) });
        void asked.then((answer) => answer.text()).then(
          (text) => response.setHeader('content-type', 'application/json').end(JSON.stringify(JSON.parse(text, (_key, value: unknown) => remarked(value, remark)))),
          () => response.destroy(),
        );
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new TalkativeNode(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((closed) => this.#server.close(() => closed()));
  }
}

function remarked(value: unknown, remark: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return 'parentHash' in value || ('nonce' in value && 'blockHash' in value) ? { ...value, remark } : value;
}
