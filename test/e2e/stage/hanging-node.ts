import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a node and passes everything on, until it is told to hang: then it takes requests and never answers. */
export class HangingNode {
  readonly #server: Server;
  #hangsAt: (text: string) => boolean = () => false;
  #hung = 0;
  #waitMs = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(before: string): Promise<HangingNode> {
    const node: HangingNode = new HangingNode(
      createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const body = Buffer.concat(chunks);
          if (node.#hangsAt(body.toString())) return void (node.#hung += 1);
          waited(node.#waitMs)
            .then(() => fetch(before, { method: 'POST', headers: { 'content-type': 'application/json' }, body }))
            .then((answer) => answer.text())
            .then((text) => response.setHeader('content-type', 'application/json').end(text))
            .catch(() => response.destroy());
        });
      }),
    );
    await new Promise<void>((listening) => node.#server.listen(0, '127.0.0.1', listening));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests that wait for ever. */
  get hung(): number {
    return this.#hung;
  }

  /** At every request that holds one of these words; without words, at all. */
  hang(...words: readonly string[]): void {
    this.#hangsAt = (text) => words.length === 0 || words.some((word) => text.includes(word));
  }

  /** Every answer takes so long from now on. */
  slow(ms: number): void {
    this.#waitMs = ms;
  }

  heal(): void {
    this.#hangsAt = () => false;
    this.#hung = 0;
    this.#server.closeAllConnections();
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((closed) => this.#server.close(() => closed()));
  }
}

function waited(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
