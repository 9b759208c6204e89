import type { RecordedEvent } from '#platform/kernel';
import type { ProjectionSettings } from './projection-status.ts';

const FIRST_EVENTS = 64;
const LEAST_EVENTS = 16;
const SAMPLES = 4;

/** How many events to take at once: grows while a batch stays short, and never beyond the bytes that may be in flight. */
export class BatchSize {
  readonly #settings: ProjectionSettings;
  #events = FIRST_EVENTS;
  #bytesPerEvent = 1;

  constructor(settings: ProjectionSettings) {
    this.#settings = settings;
  }

  get events(): number {
    const byBytes = Math.floor(this.#settings.maxBatchBytes / this.#bytesPerEvent);
    return Math.max(1, Math.min(this.#events, byBytes, this.#settings.maxBatchEvents));
  }

  /** `shared`: somebody else in this thread waits at the head. */
  learn(events: readonly RecordedEvent[], tookMs: number, shared: boolean): void {
    const wantedMs = shared ? this.#settings.sharedBatchMs : this.#settings.catchUpBatchMs;
    const factor = Math.max(0.5, Math.min(2, wantedMs / Math.max(tookMs, 0.01)));
    if (factor < 1 || events.length >= this.events) {
      this.#events = Math.max(LEAST_EVENTS, Math.min(this.#settings.maxBatchEvents, Math.round(this.#events * factor)));
    }
    if (events.length > 0) this.#bytesPerEvent = Math.max(1, sampleBytes(events));
  }
}

/** The largest of a few is taken for all: too small a batch costs little, too large a one costs memory. */
function sampleBytes(events: readonly RecordedEvent[]): number {
  let largest = 0;
  for (let n = 0; n < SAMPLES; n += 1) {
    const event = events[Math.floor((n * (events.length - 1)) / (SAMPLES - 1))] as RecordedEvent;
    largest = Math.max(largest, JSON.stringify(event.data).length);
  }
  return largest;
}
