import type { AnswerClass, SpendingLane } from '#contracts/key-pool';
import type { Clock } from '#platform/kernel';

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

/** Every request at debug; a minute after the first of them what they came to, at info. */
export class RequestLog {
  readonly #log: RequestLogger;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #since = 0;
  #requests: LoggedRequest[] = [];

  constructor(log: RequestLogger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  note(request: LoggedRequest): void {
    this.#log.debug({ ...request, ms: Math.round(request.ms) }, 'request');
    if (this.#closing.signal.aborted) return;
    if (this.#requests.push(request) > 1) return;
    this.#since = this.#clock.monotonic();
    void this.#clock.sleep(TOLD_EVERY_MS, this.#closing.signal).then(
      () => this.#tell(),
      () => undefined,
    );
  }

  /** What is not told yet is told now. */
  close(): void {
    this.#closing.abort();
    this.#tell();
  }

  #tell(): void {
    const requests = this.#requests;
    const seconds = Math.round((this.#clock.monotonic() - this.#since) / 1_000);
    this.#requests = [];
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
