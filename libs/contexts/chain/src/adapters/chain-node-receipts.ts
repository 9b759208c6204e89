import type { Clock } from '#platform/kernel';
import { meaningOf } from './chain-node-refusals.ts';
import type { RpcAnswer } from './chain-node-transport.ts';

const FIRST_PAUSE_MS = 10 * 60_000;
const LONGEST_PAUSE_MS = 6 * 3_600_000;

/** Whether a provider has eth_getBlockReceipts: remembered, and asked again after a while, since nodes are upgraded. */
export class BlockReceiptsSupport {
  readonly #clock: Clock;
  #missingUntil = 0;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  usable(): boolean {
    return this.#clock.monotonic() >= this.#missingUntil;
  }

  /** False when the answers say that the method is not there. */
  learn(answers: readonly RpcAnswer[]): boolean {
    const missing = answers.some((answer) => !answer.ok && meaningOf(answer.refusal) === 'unsupported');
    if (!missing) {
      if (answers.some((answer) => answer.ok)) this.#pauseMs = FIRST_PAUSE_MS;
      return true;
    }
    this.#missingUntil = this.#clock.monotonic() + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return false;
  }
}
