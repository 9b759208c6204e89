import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { ChainfoldError } from '#platform/kernel';
import { MessageBody, Worker, type WorkerSession } from '#platform/workers';
import { exchangeMessage } from '../application/exchange-messages.ts';
import type { Exchange, ExchangeAnswer, LeaseDesk } from '../contracts/index.ts';

/** Token of the owner's desk. */
export const LEASE_DESK = Symbol('lease desk');

/** What purses of worker processes say to the desk. */
@Controller()
export class LeasesController {
  readonly #desk: LeaseDesk;

  constructor(@Inject(LEASE_DESK) desk: LeaseDesk) {
    this.#desk = desk;
  }

  @MessagePattern('keys.exchange.v1')
  exchange(@Payload(new MessageBody(exchangeMessage)) exchange: Exchange, @Worker() worker: WorkerSession): Promise<ExchangeAnswer> {
    if (exchange.holder !== worker.holder) throw new HolderOfAnother();
    return this.#desk.exchange(exchange);
  }
}

class HolderOfAnother extends ChainfoldError {
  constructor() {
    super('A worker exchanges its own leases only', { code: 'lease-of-another', kind: 'forbidden' });
  }
}
