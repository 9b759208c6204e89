import { WebSocket } from 'ws';
import type { AskNode, EmulatedProvider } from './emulated-provider.ts';
import type { UpstreamAnswer, UpstreamNode } from './upstream-node.ts';

const SUBSCRIBES = /"method"\s*:\s*"eth_(?:un)?subscribe"/;

/** A WebSocket of one account. Subscriptions are the node's own, over a connection that is made for the first of them. */
export class EmulatedSocket {
  readonly alias: string;
  readonly #socket: WebSocket;
  readonly #provider: EmulatedProvider;
  readonly #upstream: UpstreamNode;
  readonly #severed: () => void;
  readonly #waiting: ((answer: UpstreamAnswer) => void)[] = [];
  #node: Promise<WebSocket> | undefined;
  /** Notifications keep their order, however long each is on its way. */
  #outbox: Promise<void> = Promise.resolve();
  #mute = false;

  /** `severed`: the quota of the account was found gone. */
  constructor(socket: WebSocket, alias: string, provider: EmulatedProvider, upstream: UpstreamNode, severed: () => void) {
    this.alias = alias;
    this.#socket = socket;
    this.#provider = provider;
    this.#upstream = upstream;
    this.#severed = severed;
    socket.on('message', (data: Buffer) => void this.#message(data));
    socket.on('close', () => void this.#node?.then((node) => node.terminate()).catch(() => undefined));
    socket.on('error', () => undefined);
  }

  /** As a provider does when the quota is gone. */
  sever(): void {
    this.#socket.close(1008, 'Payment Required');
  }

  async #message(data: Buffer): Promise<void> {
    const ask: AskNode = SUBSCRIBES.test(data.toString()) ? (bytes) => this.#subscribe(bytes) : (bytes) => this.#upstream.ask(bytes);
    const reply = await this.#provider.handle(this.alias, 'ws', data, ask).catch(() => undefined);
    if (this.#mute || reply === undefined) return;
    if (reply.kind === 'silent') return this.#goMute();
    if (reply.kind === 'cut') return this.#socket.terminate();
    if (reply.headers['content-type'] !== 'application/json' || reply.status >= 500) return this.#socket.close(reply.status === 413 ? 1009 : 1011);
    this.#socket.send(reply.bytes, { binary: false });
    if (reply.severs) this.#severed();
  }

  /** It stays open, and not even a ping is answered. */
  #goMute(): void {
    this.#mute = true;
    this.#socket.pause();
  }

  async #subscribe(bytes: Buffer): Promise<UpstreamAnswer> {
    this.#node ??= this.#connect();
    const node = await this.#node;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      node.send(bytes, { binary: false });
    });
  }

  async #connect(): Promise<WebSocket> {
    const { ws } = this.#upstream;
    if (ws === undefined) throw new Error('the node behind the providers takes no subscriptions');
    const node = new WebSocket(ws, { perMessageDeflate: false });
    node.on('message', (data: Buffer) => this.#fromNode(data));
    node.on('close', () => this.#socket.terminate());
    return new Promise((resolve, reject) => {
      node.on('error', reject);
      node.on('open', () => resolve(node));
    });
  }

  /** What is no notification answers a subscription; the node keeps their order, for they come one by one. */
  #fromNode(data: Buffer): void {
    if (!data.subarray(0, 200).includes('"eth_subscription"')) return this.#waiting.shift()?.({ status: 200, bytes: data });
    const fate = this.#provider.push(this.alias, data.length);
    if (fate === 'severs') return this.#severed();
    if (fate === 'mutes') this.#goMute();
    if (fate !== 'goes' || this.#mute) return;
    const due = this.#provider.pushDelay();
    due.catch(() => undefined);
    this.#outbox = this.#outbox
      .then(() => due)
      .then(() => (this.#mute ? undefined : this.#socket.send(data, { binary: false })))
      .catch(() => undefined);
  }
}
