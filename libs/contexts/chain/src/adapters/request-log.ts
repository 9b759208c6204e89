import type { AnswerClass, SpendingLane } from '#contracts/key-pool';

/** pino's logger fits. */
export interface RequestLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

export interface LoggedRequest {
  readonly provider: string;
  readonly key: string;
  readonly chainId: string;
  readonly lane: SpendingLane;
  readonly methods: Readonly<Record<string, number>>;
  readonly units: number;
  readonly class: AnswerClass | 'unanswered';
  readonly ms: number;
}

const TOLD_EVERY_MS = 60_000;

/** Every request at debug; once a minute, where there were any, what they come to at info. */
export class RequestLog {
  readonly #log: RequestLogger;
  readonly #now: () => number;
  #since: number;
  #requests: LoggedRequest[] = [];

  constructor(log: RequestLogger, now: () => number) {
    this.#log = log;
    this.#now = now;
    this.#since = now();
  }

  note(request: LoggedRequest): void {
    this.#log.debug({ ...request, ms: Math.round(request.ms) }, 'request');
    this.#requests.push(request);
    if (this.#now() - this.#since >= TOLD_EVERY_MS) this.tell();
  }

  tell(): void {
    const requests = this.#requests;
    const seconds = Math.round((this.#now() - this.#since) / 1_000);
    this.#requests = [];
    this.#since = this.#now();
    const [first] = requests;
    if (first === undefined) return;
    const times = requests.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number): number => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] as number);
    const answers: Record<string, number> = {};
    for (const { class: answer } of requests) answers[answer] = (answers[answer] ?? 0) + 1;
    const units = requests.reduce((sum, request) => sum + request.units, 0);
    this.#log.info({ provider: first.provider, seconds, requests: requests.length, units, answers, p50Ms: at(0.5), p99Ms: at(0.99) }, 'requests');
  }
}
