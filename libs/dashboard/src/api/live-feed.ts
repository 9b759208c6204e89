import type { LoggedEvent } from './answers.ts';

export type FeedState = 'connecting' | 'live' | 'lost';

export interface FeedListener {
  event(event: LoggedEvent): void;
  state(state: FeedState): void;
  /** Away so long that catching up event by event would be slower than reading anew, or on another log than before. */
  outdated(): void;
}

const TYPES = [
  'ChainStarted', 'BlockObserved', 'BranchBlockObserved', 'ChainReorganized', 'BlocksSafe', 'BlocksFinalized',
  'ChainStopped', 'ChainResumed', 'BackfillRequested', 'BackfillCompleted', 'BackfillCancelled',
];
const RETRY_MS = { first: 1_000, most: 8_000 };
const OUTDATED_AFTER_MS = 120_000;
/** A browser gives one server few connections for all its tabs; one that nobody looks at must not hold one. */
const HIDDEN_FOR_MS = 10_000;
/** So many refusals in a row are no restart any more: the server is asked why. */
const REFUSALS = 2;

/** The log from a position on. Comes back by itself, without gap or repeat, for the server resumes from the last id seen. */
export class LiveFeed {
  readonly #listener: FeedListener;
  #last: string;
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_MS.first;
  #refusals = 0;
  #lostAt: number | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #paused = false;
  readonly #ended = new AbortController();

  constructor(after: string, listener: FeedListener) {
    this.#last = after;
    this.#listener = listener;
    this.#open();
    document.addEventListener('visibilitychange', () => this.#seen(), { signal: this.#ended.signal });
    this.#seen();
  }

  close(): void {
    this.#ended.abort();
    clearTimeout(this.#retry);
    clearTimeout(this.#pause);
    this.#source?.close();
  }

  #seen(): void {
    clearTimeout(this.#pause);
    if (document.hidden) {
      this.#pause = setTimeout(() => this.#rest(), HIDDEN_FOR_MS);
    } else if (this.#paused) {
      this.#paused = false;
      this.#open();
    }
  }

  #rest(): void {
    this.#paused = true;
    this.#lostAt ??= Date.now();
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  get #address(): string {
    return `/api/v1/events/live?${new URLSearchParams({ after: this.#last, types: TYPES.join(','), categories: 'chain' })}`;
  }

  #open(): void {
    const source = new EventSource(this.#address);
    this.#source = source;
    source.onopen = () => this.#opened();
    source.onerror = () => this.#failed(source);
    source.onmessage = (message: MessageEvent<string>) => this.#take(message);
    // A server may name events by their type, or send them all as plain messages.
    for (const type of TYPES) source.addEventListener(type, (message: MessageEvent<string>) => this.#take(message));
    source.addEventListener('caught-up', (message: MessageEvent<string>) => this.#remember(message));
  }

  #opened(): void {
    const away = this.#lostAt === undefined ? 0 : Date.now() - this.#lostAt;
    this.#lostAt = undefined;
    this.#refusals = 0;
    this.#retryMs = RETRY_MS.first;
    this.#listener.state('live');
    if (away > OUTDATED_AFTER_MS) this.#listener.outdated();
  }

  /** The browser itself tries again after a broken line, but gives up after an answer like 503. */
  #failed(source: EventSource): void {
    if (this.#ended.signal.aborted || this.#paused) return;
    this.#lostAt ??= Date.now();
    this.#listener.state('lost');
    source.close();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
    if (++this.#refusals >= REFUSALS) void this.#askWhy().catch(() => undefined);
  }

  /** An EventSource does not tell why it failed. A server that begins another log refuses the old place for ever. */
  async #askWhy(): Promise<void> {
    const asked = new AbortController();
    try {
      const answer = await fetch(this.#address, { signal: AbortSignal.any([asked.signal, this.#ended.signal]) });
      if (answer.status >= 400 && answer.status < 500) this.#listener.outdated();
    } finally {
      asked.abort();
    }
  }

  #take(message: MessageEvent<string>): void {
    this.#remember(message);
    if (!message.data) return;
    let event: LoggedEvent;
    try {
      event = JSON.parse(message.data) as LoggedEvent;
    } catch {
      return;
    }
    if (typeof event.type === 'string' && typeof event.stream === 'string') this.#listener.event(event);
  }

  #remember(message: MessageEvent<string>): void {
    if (message.lastEventId !== '') this.#last = message.lastEventId;
  }
}
