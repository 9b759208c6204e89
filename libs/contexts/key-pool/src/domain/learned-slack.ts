const DAY_MS = 86_400_000;
const LEAST_STEP_MS = 20;

/** How much the way to a provider's meter varies beyond what its file says, learned from refusals that should not have come. */
export class LearnedSlack {
  readonly #documentedMs: number;
  #extraMs = 0;
  #learnedAt = -Infinity;

  constructor(documentedMs: number) {
    this.#documentedMs = documentedMs;
  }

  /** Doubles the slack, to at most a window; once for all refusals of what was sent before it was learned. */
  learn(sentAt: number, now: number, windowMs: number): void {
    if (sentAt < this.#learnedAt) return;
    const slackMs = this.#documentedMs + this.extraMs(now);
    this.#extraMs = Math.max(0, Math.min(windowMs, Math.max(2 * slackMs, slackMs + LEAST_STEP_MS)) - this.#documentedMs);
    this.#learnedAt = now;
  }

  /** Halves with each day that goes well. */
  extraMs(now: number): number {
    if (this.#extraMs === 0) return 0;
    const extra = this.#extraMs / 2 ** Math.floor((now - this.#learnedAt) / DAY_MS);
    return extra < 1 ? 0 : extra;
  }
}
