import type { Cost, KeyPurse, Permit, SpendingAsk, SpendingOutcome } from '#contracts/key-pool';
import { type ErrorMessage, fromErrorMessage, toErrorMessage } from '#platform/kernel';

/** What a thread says to the purse of its process. */
export type ToPurse =
  | { readonly type: 'acquire'; readonly id: number; readonly ask: SpendingAsk }
  | { readonly type: 'unwanted'; readonly id: number }
  | { readonly type: 'settle'; readonly permit: Permit; readonly outcome: SpendingOutcome };

export type FromPurse = { readonly type: 'permit'; readonly id: number; readonly permit?: Permit; readonly error?: ErrorMessage };

/** The purse of the process, in one of its threads. Both have one time line, so a permit means the same there. */
export class PurseOverPort implements KeyPurse {
  readonly #post: (message: ToPurse) => void;
  readonly #asked = new Map<number, PromiseWithResolvers<Permit>>();
  #ids = 0;

  constructor(post: (message: ToPurse) => void) {
    this.#post = post;
  }

  async acquire(ask: SpendingAsk, signal?: AbortSignal): Promise<Permit> {
    signal?.throwIfAborted();
    const id = (this.#ids += 1);
    const asked = Promise.withResolvers<Permit>();
    this.#asked.set(id, asked);
    const unwanted = (): void => this.#post({ type: 'unwanted', id });
    signal?.addEventListener('abort', unwanted, { once: true });
    this.#post({ type: 'acquire', id, ask });
    try {
      return await asked.promise;
    } finally {
      signal?.removeEventListener('abort', unwanted);
    }
  }

  settle(permit: Permit, outcome: SpendingOutcome): void {
    this.#post({ type: 'settle', permit, outcome });
  }

  /** Heads are announced to the main thread only. */
  accrue(_key: string, _cost: Cost, _chainId: string, what: string): void {
    throw new Error(`${what} is not heard in this thread`);
  }

  hear({ id, permit, error }: FromPurse): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (permit !== undefined) asked?.resolve(permit);
    else asked?.reject(error === undefined ? new Error('no permit') : fromErrorMessage(error));
  }
}

/** The other end: what one thread may spend. When the thread ends, what it held is in doubt. */
export class PurseForThread {
  readonly #purse: KeyPurse;
  readonly #post: (message: FromPurse) => void;
  readonly #waiting = new Map<number, AbortController>();
  readonly #out = new Map<number, Permit>();
  #ended = false;

  constructor(purse: KeyPurse, post: (message: FromPurse) => void) {
    this.#purse = purse;
    this.#post = post;
  }

  hear(message: ToPurse): void {
    switch (message.type) {
      case 'acquire':
        return void this.#acquire(message.id, message.ask);
      case 'unwanted':
        return this.#waiting.get(message.id)?.abort(new Error('no longer wanted'));
      case 'settle':
        this.#out.delete(message.permit.id);
        return this.#purse.settle(message.permit, message.outcome);
    }
  }

  ended(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.values()) waiting.abort(new Error('the thread ended'));
    for (const permit of this.#out.values()) this.#purse.settle(permit, { kind: 'unanswered', sentAt: permit.validUntil });
    this.#out.clear();
  }

  async #acquire(id: number, ask: SpendingAsk): Promise<void> {
    const waiting = new AbortController();
    this.#waiting.set(id, waiting);
    try {
      const permit = await this.#purse.acquire(ask, waiting.signal);
      if (this.#ended) return this.#purse.settle(permit, { kind: 'unspent' });
      this.#out.set(permit.id, permit);
      this.#post({ type: 'permit', id, permit });
    } catch (error) {
      if (!this.#ended) this.#post({ type: 'permit', id, error: toErrorMessage(error) });
    } finally {
      this.#waiting.delete(id);
    }
  }
}
