import { ChainfoldError } from '#platform/kernel';
import type { ExpectedRevision } from './event-store.port.ts';

/** Other events stand where these should go: another owner wrote, or our memory of the stream is old. */
export class RevisionConflict extends ChainfoldError {
  readonly actual: number;

  constructor(stream: string, expected: ExpectedRevision, actual: number) {
    super('The stream is not at the expected revision', {
      code: 'revision-conflict',
      kind: 'conflict',
      facts: { stream, expected, actual },
      hint: 'Load the stream again and decide anew.',
    });
    this.actual = actual;
  }
}

export class AppendTooLarge extends ChainfoldError {
  constructor(stream: string, what: 'events' | 'bytes' | 'bytesOfOneEvent', limit: number, actual: number) {
    super('The append is larger than the log takes', {
      code: 'append-too-large',
      kind: 'invalid',
      facts: { stream, what, limit, actual },
      hint: 'Split it into several appends, or one event into several.',
    });
  }
}

/** Nobody can say whether it happened. Repeating the very same append is safe and tells. */
export class IndeterminateAppend extends ChainfoldError {
  constructor(streams: readonly string[], cause: unknown) {
    super('The log can not say whether the append happened', {
      code: 'indeterminate-append',
      kind: 'unavailable',
      facts: { streams },
      hint: 'Load the stream again and look, or repeat the same append.',
      cause,
    });
  }
}

export class InvalidPosition extends ChainfoldError {
  constructor(text: string) {
    super('That is not a position of a log', {
      code: 'invalid-position',
      kind: 'invalid',
      facts: { position: text.slice(0, 80) },
      hint: 'Use a position that this service answered, or "start".',
    });
  }
}

export class ForeignPosition extends ChainfoldError {
  constructor(position: string, identity: string) {
    super('The position belongs to another log', {
      code: 'foreign-position',
      kind: 'conflict',
      facts: { position: position.slice(0, 80), log: identity },
      hint: 'Start again from "start": what was read from the other log says nothing about this one.',
    });
  }
}

/** Only a log that lost its tail (an older copy put back) can be behind a position it gave. */
export class PositionAhead extends ChainfoldError {
  constructor(position: string, head: string) {
    super('The log does not reach that position', {
      code: 'position-ahead',
      kind: 'conflict',
      facts: { position, head },
      hint: 'Was an older copy of the log put back? Rebuild what was read from the newer one.',
    });
  }
}

export class EventStoreClosed extends ChainfoldError {
  constructor() {
    super('The log is closed', { code: 'event-store-closed', kind: 'unavailable', hint: 'The service is stopping; try again when it is back.' });
  }
}
