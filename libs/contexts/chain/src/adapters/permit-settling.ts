import { type AnswerClass, type KeyPurse, type Permit, sharedNow } from '#contracts/key-pool';
import { HeldBack } from './chain-node-transport.ts';

/** What an answer tells besides its class. */
export interface Said {
  readonly message?: string;
  readonly waitMs?: number;
  readonly providerTime?: number;
  readonly hasAnother?: true;
}

/** Settles a permit once, with the times of its request. */
export class PermitSettling {
  readonly #purse: KeyPurse;
  readonly #permit: Permit;
  #sentAt = sharedNow();
  seen: AnswerClass | 'unanswered' | undefined;
  ms = 0;

  constructor(purse: KeyPurse, permit: Permit) {
    this.#purse = purse;
    this.#permit = permit;
  }

  /** To be called in the turn that writes, just before. Throws `HeldBack` after the end of the permit. */
  writing(): void {
    if (sharedNow() >= this.#permit.validUntil) throw new HeldBack();
    // By the next turn it is written; between a stamp before that and the writing a busy machine may take this thread off its core.
    setImmediate(() => (this.#sentAt = sharedNow()));
  }

  answered(seen: AnswerClass, said: Said = {}): void {
    if (this.seen !== undefined) return;
    this.seen = seen;
    const answeredAt = sharedNow();
    this.ms = answeredAt - this.#sentAt;
    this.#purse.settle(this.#permit, { kind: 'answered', class: seen, sentAt: this.#sentAt, answeredAt, ...said });
  }

  unanswered(): void {
    if (this.seen !== undefined) return;
    this.seen = 'unanswered';
    this.ms = sharedNow() - this.#sentAt;
    this.#purse.settle(this.#permit, { kind: 'unanswered', sentAt: this.#sentAt });
  }
}
