import type { Socket } from 'node:net';
import { TcpSocket } from '@nestjs/microservices';
import { FrameInvalid, type FrameLimits, FrameReader, writeFrame } from './frame.ts';
import type { WorkerSession } from './worker-session.ts';

/** What a stranger may send: a greeting. */
const STRANGER: FrameLimits = { json: 64_000, attachments: 0 };
/** A block of 25 MB of receipts is less than half of it when packed. */
const PEER: FrameLimits = { json: 4_000_000, attachments: 64_000_000 };
/** The rest of a message that began must come in this time. */
const INCOMPLETE_MS = 30_000;
/** Asked and not answered yet; a peer that asks more is not listened to meanwhile. */
const MOST_OPEN = 32;

interface Packet {
  readonly data?: { readonly attachments?: readonly Uint8Array[] };
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}

/**
 * Nest's TCP with frames instead of its text protocol, which counts characters, joins what arrived again and again, and takes bytes
 * as base64 only. `data.attachments` crosses as bytes.
 */
export class FrameSocket extends TcpSocket {
  readonly #reader: FrameReader;
  readonly #serves: boolean;
  #open = 0;
  #incomplete: NodeJS.Timeout | undefined;
  /** Set by the greeting. */
  session: WorkerSession | undefined;

  /** `serves`: the other side is a stranger until it was greeted. */
  constructor(socket: Socket, serves = false) {
    super(socket);
    this.#serves = serves;
    this.#reader = new FrameReader(() => (serves && this.session === undefined ? STRANGER : PEER));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, INCOMPLETE_MS);
    socket.on('close', () => clearTimeout(this.#incomplete));
  }

  protected override handleData(data: Buffer): void {
    clearTimeout(this.#incomplete);
    for (const { packet, attachments } of this.#reader.read(data)) {
      const message = this.#serves ? requestOf(packet, attachments) : packet;
      if (this.#serves && (this.#open += 1) >= MOST_OPEN) this.socket.pause();
      this.socket.emit('message', message);
    }
    if (this.#reader.waits) this.#incomplete = setTimeout(() => this.socket.destroy(), INCOMPLETE_MS).unref();
  }

  protected override handleSend(message: Packet, callback?: (error?: Error | null) => void): void {
    const { attachments, ...data } = message.data ?? {};
    const [head, ...rest] = writeFrame(message.data === undefined ? message : { ...message, data }, attachments);
    if (this.#serves && (message.isDisposed === true || message.err !== undefined)) this.#answered();
    this.socket.cork();
    this.socket.write(head as Buffer);
    for (const piece of rest) this.socket.write(piece);
    process.nextTick(() => this.socket.uncork());
    callback?.();
  }

  /** Whatever it was, it is no peer of ours. */
  protected override handleDataError(): void {
    this.socket.destroy();
  }

  #answered(): void {
    this.#open -= 1;
    // A peer that does not read its answers gets no new ones.
    if (this.socket.writableNeedDrain) this.socket.once('drain', () => this.socket.resume());
    else if (this.#open < MOST_OPEN) this.socket.resume();
  }
}

/** Nest takes a packet as it comes: an object as a pattern, or no id, which would be an event that nobody handles. */
function requestOf(packet: unknown, attachments: Frame['attachments']): object {
  const { pattern, id, data } = (typeof packet === 'object' && packet !== null ? packet : {}) as Record<string, unknown>;
  if (typeof pattern !== 'string' || pattern.length > 60) throw new FrameInvalid('it names no pattern');
  if (typeof id !== 'string' || id.length > 60) throw new FrameInvalid('it has no id');
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new FrameInvalid('it holds no data');
  return { pattern, id, data: { ...data, attachments } };
}

type Frame = { readonly attachments: readonly Uint8Array<ArrayBuffer>[] };
