import type { OwnerConnection } from '#platform/workers';
import { exchangeAnswer } from '../application/exchange-messages.ts';
import type { Exchange, ExchangeAnswer, LeaseDesk } from '../contracts/index.ts';

/** Well below the length of a lease, so that a purse that hears nothing can still ask again in time. */
const ANSWER_MS = 3_000;

/**
 * The owner's desk over its port for workers. A lost answer is an error (`owner-unreachable`): the exchange may have been booked,
 * so the purse says the same settlements again, with the same sequence.
 */
export class NestLeaseDesk implements LeaseDesk {
  readonly #owner: OwnerConnection;

  constructor(owner: OwnerConnection) {
    this.#owner = owner;
  }

  exchange(exchange: Exchange): Promise<ExchangeAnswer> {
    return this.#owner.ask({ pattern: 'keys.exchange.v1', body: exchange, answer: exchangeAnswer, withinMs: ANSWER_MS });
  }
}
