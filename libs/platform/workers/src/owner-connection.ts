import { randomBytes } from 'node:crypto';
import { ClientTCP } from '@nestjs/microservices';
import { ChainfoldError, type Clock, fromErrorMessage, messageOf } from '#platform/kernel';
import type { Logger } from '#platform/observability';
import type { Health } from '#platform/runtime';
import type { Secret } from '#platform/settings';
import { firstValueFrom } from 'rxjs';
import { z } from 'zod';
import type { Agreement } from './agreement.ts';
import { errorMessage } from './error-schema.ts';
import { FrameSocket } from './frame-socket.ts';
import { bodyOf } from './message-body.ts';
import { OwnerUnreachable } from './workers.errors.ts';

export interface OwnerConnectionOptions {
  /** host:port */
  readonly at: string;
  readonly token: Secret | undefined;
  readonly version: string;
  readonly agreement: Agreement;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Question<S extends z.ZodType> {
  readonly pattern: string;
  readonly body: object;
  readonly attachments?: readonly Uint8Array[];
  readonly answer: S;
  /** Then it is lost, and so is the connection: nobody knows what became of what was sent on it. */
  readonly withinMs: number;
}

const CONNECT_MS = 5_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

class FrameClient extends ClientTCP {
  /** Told by whoever asked. */
  override handleError(): void {}

  cut(): void {
    this.socket?.netSocket.destroy();
  }
}

/** A worker's one connection with the owner: opened when somebody asks, greeted first, and opened again with growing pauses when it was lost. */
export class OwnerConnection {
  /** Of this process; another one after each start. */
  readonly holder = `worker.${process.pid}.${randomBytes(4).toString('hex')}`;
  readonly #options: OwnerConnectionOptions;
  #client: FrameClient | undefined;
  #greeted: Promise<FrameClient> | undefined;
  #failures = 0;
  #notBefore = 0;
  #trouble: ChainfoldError | undefined;
  #closed = false;

  constructor(options: OwnerConnectionOptions) {
    this.#options = options;
  }

  /** Throws `owner-unreachable` where no answer came, at once while a pause lasts; or what the owner refused with. */
  async ask<S extends z.ZodType>(question: Question<S>): Promise<z.output<S>> {
    const client = await this.#open();
    return this.#send(client, question);
  }

  /** How long to leave it alone after a failure. */
  get pauseMs(): number {
    return Math.max(FIRST_PAUSE_MS, this.#notBefore - this.#options.clock.monotonic());
  }

  health(): Health {
    if (this.#trouble === undefined) return this.#greeted === undefined ? { status: 'down', reason: 'Not connected with the owner yet' } : { status: 'up' };
    return { status: 'down', reason: this.#trouble.message };
  }

  close(): void {
    this.#closed = true;
    this.#client?.cut();
  }

  #open(): Promise<FrameClient> {
    if (this.#closed) return Promise.reject(new OwnerUnreachable('this process is ending'));
    if (this.#greeted !== undefined) return this.#greeted;
    if (this.#options.clock.monotonic() < this.#notBefore) return Promise.reject(this.#trouble ?? new OwnerUnreachable('it was not reached a moment ago'));
    const greeted = this.#connect().catch((error: unknown) => {
      if (this.#greeted === greeted) this.#greeted = undefined;
      throw this.#failed(error);
    });
    this.#greeted = greeted;
    return greeted;
  }

  async #connect(): Promise<FrameClient> {
    const { at, version, agreement, log } = this.#options;
    const split = at.lastIndexOf(':');
    const client = new FrameClient({ host: at.slice(0, split).replace(/^\[|\]$/g, ''), port: Number(at.slice(split + 1)), socketClass: FrameSocket });
    this.#client = client;
    try {
      await this.#within(CONNECT_MS, client.connect() as Promise<void>);
      await this.#send(client, { pattern: 'hello.v1', body: { holder: this.holder, version, agreement }, answer: z.looseObject({ version: z.string() }), withinMs: CONNECT_MS });
    } catch (error) {
      client.cut();
      throw error;
    }
    client.unwrap<{ once(event: 'close', then: () => void): void }>().once('close', () => this.#lost(client));
    log.info({ owner: at, holder: this.holder }, this.#failures > 0 ? 'connected with the owner again' : 'connected with the owner');
    this.#failures = 0;
    this.#trouble = undefined;
    return client;
  }

  async #send<S extends z.ZodType>(client: FrameClient, { pattern, body, attachments, answer, withinMs }: Question<S>): Promise<z.output<S>> {
    const token = this.#options.token?.reveal();
    const data = { ...(token !== undefined && { token }), body, ...(attachments !== undefined && { attachments }) };
    let got: unknown;
    try {
      got = await this.#within(withinMs, firstValueFrom(client.send<unknown, object>(pattern, data)));
    } catch (error) {
      const refused = errorMessage.safeParse(error);
      if (refused.success && refused.data.code !== 'worker-greeting-missing') throw fromErrorMessage(refused.data);
      client.cut();
      throw error instanceof OwnerUnreachable ? error : new OwnerUnreachable(messageOf(error));
    }
    return bodyOf(answer, got);
  }

  async #within<T>(ms: number, answer: Promise<T>): Promise<T> {
    const over = new AbortController();
    const late = this.#options.clock.sleep(ms, over.signal).then(
      () => Promise.reject(new OwnerUnreachable(`no answer within ${ms} ms`)),
      () => new Promise<never>(() => undefined),
    );
    answer.catch(() => undefined);
    return Promise.race([answer, late]).finally(() => over.abort());
  }

  #lost(client: FrameClient): void {
    if (this.#client !== client || this.#closed) return;
    this.#greeted = undefined;
    this.#failed(new OwnerUnreachable('the connection was lost'));
  }

  /** One log line per change. */
  #failed(error: unknown): ChainfoldError {
    const trouble = error instanceof ChainfoldError ? error : new OwnerUnreachable(messageOf(error));
    const { clock, log, at } = this.#options;
    const growing = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 8));
    this.#failures += 1;
    // Many workers of one owner that was started again do not come all at once.
    this.#notBefore = clock.monotonic() + growing * (0.75 + randomBytes(1).readUInt8() / 512);
    if (this.#trouble?.message !== trouble.message && !this.#closed) {
      const fields = { owner: at, code: trouble.code, reason: trouble.message, ...trouble.facts };
      if (trouble instanceof OwnerUnreachable) log.warn(fields, 'the owner can not be reached');
      else log.error({ ...fields, hint: trouble.hint }, 'the owner refuses this worker');
    }
    this.#trouble = trouble;
    return trouble;
  }
}
