import type { LoggedEvent } from './answers.ts';

export type FeedState = 'connecting' | 'live' | 'lost';

export interface FeedListener {
  event(event: LoggedEvent): void;
  state(state: FeedState): void;
  /** Away so long that catching up event by event would be slower than reading anew. */
  outdated(): void;
}

const TYPES = [
  'ChainStarted', 'BlockObserved', 'BranchBlockObserved', 'ChainReorganized', 'BlocksSafe', 'BlocksFinalized',
  'ChainStopped', 'ChainResumed', 'BackfillRequested', 'BackfillCompleted',
];
const RETRY_MS = { first: 1_000, most: 8_000 };
const OUTDATED_AFTER_MS = 120_000;

/** The log from a position on. Comes back by itself, without gap or repeat, for the server resumes from the last id seen. */
export class LiveFeed {
  readonly #listener: FeedListener;
  #last: string;
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_MS.first;
  #lostAt: number | undefined;
  #closed = false;

  constructor(after: string, listener: FeedListener) {
    this.#last = after;
    this.#listener = listener;
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  #open(): void {
    const query = new URLSearchParams({ after: this.#last, types: TYPES.join(','), categories: 'chain' });
    const source = new EventSource(`/api/v1/events/live?${query}`);
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
    this.#retryMs = RETRY_MS.first;
    this.#listener.state('live');
    if (away > OUTDATED_AFTER_MS) this.#listener.outdated();
  }

  /** The browser itself tries again after a broken line, but gives up after an answer like 503. */
  #failed(source: EventSource): void {
    if (this.#closed) return;
    this.#lostAt ??= Date.now();
    this.#listener.state('lost');
    source.close();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
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
